namespace ResumableUploads.Benchmarks.Measuring;

/// <summary>
/// Two things measured in turns, so that whatever else the machine does meets both. What counts is the median of the ratios of
/// neighbours, and never the ratio of two sums.
/// </summary>
internal sealed class Paired<T>
{
    private readonly List<(T Ours, T Bare)> _pairs = [];

    /// <summary>Measures: after some rounds that do not count, pairs in which now one side is first and now the other.</summary>
    public static Paired<T> Measure(int warmUps, int pairs, Func<T> ours, Func<T> bare)
    {
        for (int i = 0; i < warmUps; i++)
        {
            bare();
            ours();
        }

        var measured = new Paired<T>();
        for (int i = 0; i < pairs; i++)
        {
            if (i % 2 == 0)
            {
                T first = bare();
                measured._pairs.Add((ours(), first));
            }
            else
            {
                T first = ours();
                measured._pairs.Add((first, bare()));
            }
        }

        return measured;
    }

    public Comparison Compare(Func<T, double> value)
    {
        double[] ratios = [.. _pairs.Select(pair => value(pair.Ours) / value(pair.Bare))];
        return new Comparison(
            Median(_pairs.Select(pair => value(pair.Ours))), Median(_pairs.Select(pair => value(pair.Bare))), Median(ratios), ratios.Min(), ratios.Max());
    }

    private static double Median(IEnumerable<double> values) => Statistics.Percentile(values, 50);
}

/// <summary>Two sides of one measure.</summary>
/// <param name="Ours">The median of ours.</param>
/// <param name="Bare">The median of the bare one.</param>
/// <param name="Ratio">The median of the ratios of pairs.</param>
/// <param name="Least">The smallest of these.</param>
/// <param name="Most">The largest of these.</param>
internal readonly record struct Comparison(double Ours, double Bare, double Ratio, double Least, double Most);

internal static class Statistics
{
    public static double Percentile(IEnumerable<double> values, double percent)
    {
        double[] sorted = [.. values.Order()];
        double place = percent / 100 * (sorted.Length - 1);
        int below = (int)place;
        return below + 1 < sorted.Length ? sorted[below] + ((place - below) * (sorted[below + 1] - sorted[below])) : sorted[below];
    }
}
