namespace ResumableUploads.Benchmarks.Measuring;

/// <summary>
/// Several things measured in turns, so that whatever else the machine does meets all of them. What counts is the median of the ratios of neighbours in
/// a round, and never the ratio of two sums.
/// </summary>
internal sealed class InterleavedRounds<T>
{
    private readonly List<T>[] _sides;

    private InterleavedRounds(int sides) => _sides = [.. Enumerable.Range(0, sides).Select(static _ => new List<T>())];

    /// <summary>Measures: after some rounds that do not count, rounds of which each begins with the next side, every second one backwards.</summary>
    public static InterleavedRounds<T> Measure(int warmUps, int rounds, params Func<T>[] sides)
    {
        var measured = new InterleavedRounds<T>(sides.Length);
        for (int round = -warmUps; round < rounds; round++)
        {
            for (int step = 0; step < sides.Length; step++)
            {
                int ahead = (step + Math.Abs(round / 2)) % sides.Length;
                int side = round % 2 == 0 ? ahead : sides.Length - 1 - ahead;
                T result = sides[side]();
                if (round >= 0)
                {
                    measured._sides[side].Add(result);
                }
            }
        }

        return measured;
    }

    public double Median(int side, Func<T, double> value) => Statistics.Percentile(_sides[side].Select(value), 50);

    public Comparison Compare(int side, int beside, Func<T, double> value)
    {
        double[] ratios = [.. _sides[side].Zip(_sides[beside], (one, other) => value(one) / value(other))];
        (double low, double high) = Statistics.MedianInterval(ratios);
        return new Comparison(Median(side, value), Median(beside, value), Statistics.Percentile(ratios, 50), low, high);
    }
}

/// <summary>Two sides of one measure.</summary>
/// <param name="Ours">The median of ours.</param>
/// <param name="Baseline">The median of the other one.</param>
/// <param name="Ratio">The median of the ratios.</param>
/// <param name="Low">Where the 95 % interval of that median begins.</param>
/// <param name="High">Where it ends.</param>
internal readonly record struct Comparison(double Ours, double Baseline, double Ratio, double Low, double High);
