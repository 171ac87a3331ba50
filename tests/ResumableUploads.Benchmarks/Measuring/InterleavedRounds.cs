namespace ResumableUploads.Benchmarks.Measuring;

/// <summary>
/// Measures several sides in interleaved rounds, so that other work on the machine affects all of them. The result of a comparison is the median of the
/// ratios within the rounds, not the ratio of the totals.
/// </summary>
internal sealed class InterleavedRounds<T>
{
    private readonly List<T>[] _sides;

    private InterleavedRounds(int sides) => _sides = [.. Enumerable.Range(0, sides).Select(static _ => new List<T>())];

    /// <summary>Runs warm-up rounds and then measured rounds. The first side changes from round to round, and every second round runs in reverse order.</summary>
    public static InterleavedRounds<T> Measure(int warmUps, int rounds, params Func<T>[] sides)
    {
        var measured = new InterleavedRounds<T>(sides.Length);
        for (int round = -warmUps; round < rounds; round++)
        {
            for (int step = 0; step < sides.Length; step++)
            {
                int forward = (step + Math.Abs(round / 2)) % sides.Length;
                int side = round % 2 == 0 ? forward : sides.Length - 1 - forward;
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

    public Comparison Compare(int side, int baseline, Func<T, double> value) => Compare((side, value), (baseline, value));

    /// <summary>Compares two values of one side.</summary>
    public Comparison CompareWithin(int side, Func<T, double> value, Func<T, double> baseline) => Compare((side, value), (side, baseline));

    private Comparison Compare((int Side, Func<T, double> Value) ours, (int Side, Func<T, double> Value) baseline)
    {
        double[] ratios = [.. _sides[ours.Side].Zip(_sides[baseline.Side], (one, other) => ours.Value(one) / baseline.Value(other))];
        (double low, double high) = Statistics.MedianInterval(ratios);
        return new Comparison(Median(ours.Side, ours.Value), Median(baseline.Side, baseline.Value), Statistics.Percentile(ratios, 50), low, high);
    }
}

/// <summary>A comparison of two sides.</summary>
/// <param name="Ours">The median of the first side.</param>
/// <param name="Baseline">The median of the other side.</param>
/// <param name="Ratio">The median of the ratios.</param>
/// <param name="Low">The lower bound of the 95 % interval of the ratio.</param>
/// <param name="High">The upper bound of the interval.</param>
internal readonly record struct Comparison(double Ours, double Baseline, double Ratio, double Low, double High);
