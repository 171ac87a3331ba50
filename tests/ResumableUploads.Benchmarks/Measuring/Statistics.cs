namespace ResumableUploads.Benchmarks.Measuring;

internal static class Statistics
{
    private const double TailProbability = 0.025;

    public static double Percentile(IEnumerable<double> values, double percent)
    {
        double[] sorted = [.. values.Order()];
        double position = percent / 100 * (sorted.Length - 1);
        int below = (int)position;
        return below + 1 < sorted.Length ? sorted[below] + ((position - below) * (sorted[below + 1] - sorted[below])) : sorted[below];
    }

    /// <summary>
    /// Returns the interval that contains the true median with a confidence of at least 95 %. The number of values below the median is binomially distributed,
    /// so that the k-th smallest and the k-th largest value are the bounds, for any distribution of the values. Fewer than six values are not enough: the
    /// result is then their whole range.
    /// </summary>
    public static (double Low, double High) MedianInterval(double[] values)
    {
        double[] sorted = [.. values.Order()];
        double term = Math.Pow(0.5, sorted.Length);
        double below = term;
        int cut = 0;
        while (cut + 1 < sorted.Length / 2)
        {
            term *= (double)(sorted.Length - cut) / (cut + 1);
            if (below + term > TailProbability)
            {
                break;
            }

            below += term;
            cut++;
        }

        return (sorted[cut], sorted[^(cut + 1)]);
    }
}
