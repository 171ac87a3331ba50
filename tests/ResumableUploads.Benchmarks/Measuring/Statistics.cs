namespace ResumableUploads.Benchmarks.Measuring;

internal static class Statistics
{
    private const double TailProbability = 0.025;

    public static double Percentile(IEnumerable<double> values, double percent)
    {
        double[] sorted = [.. values.Order()];
        double place = percent / 100 * (sorted.Length - 1);
        int below = (int)place;
        return below + 1 < sorted.Length ? sorted[below] + ((place - below) * (sorted[below + 1] - sorted[below])) : sorted[below];
    }

    /// <summary>
    /// The interval that holds the true median with at least 95 %, whatever the distribution: how many values lie below it is binomial, so the k-th smallest and
    /// the k-th largest bound it. Fewer than six values have none that narrow: then it is all of them.
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
