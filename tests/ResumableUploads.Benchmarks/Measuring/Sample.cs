namespace ResumableUploads.Benchmarks.Measuring;

/// <summary>One measurement of a server that takes uploads.</summary>
/// <param name="Bytes">How many bytes it was sent.</param>
/// <param name="Uploads">How many uploads these were.</param>
/// <param name="Elapsed">How long that took.</param>
/// <param name="Processor">What the server used of the processors.</param>
/// <param name="Allocated">What it allocated, in bytes; not a number where the server does not tell.</param>
/// <param name="Requests">How long each request took, in milliseconds.</param>
internal sealed record Sample(long Bytes, int Uploads, TimeSpan Elapsed, TimeSpan Processor, double Allocated, double[] Requests)
{
    private const double GiB = 1L << 30;

    public double MegabytesPerSecond => Bytes / 1e6 / Elapsed.TotalSeconds;

    public double UploadsPerSecond => Uploads / Elapsed.TotalSeconds;

    public double ProcessorPerGiB => Processor.TotalSeconds * GiB / Bytes;

    public double ProcessorPerUpload => Processor.TotalMicroseconds / Uploads;

    public double AllocatedPerGiB => Allocated / 1024 * GiB / Bytes;

    public double AllocatedPerUpload => Allocated / 1024 / Uploads;

    public double P50 => Statistics.Percentile(Requests, 50);

    public double P99 => Statistics.Percentile(Requests, 99);
}
