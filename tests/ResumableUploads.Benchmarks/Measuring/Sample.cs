namespace ResumableUploads.Benchmarks.Measuring;

/// <summary>One measurement of uploads to a server.</summary>
/// <param name="Bytes">The number of sent bytes.</param>
/// <param name="Uploads">The number of uploads.</param>
/// <param name="Elapsed">The elapsed time.</param>
/// <param name="Processor">The processor time of the server.</param>
/// <param name="Allocated">The allocations of the server in bytes, or NaN if they are not known.</param>
/// <param name="Requests">The duration of each request, in milliseconds.</param>
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
