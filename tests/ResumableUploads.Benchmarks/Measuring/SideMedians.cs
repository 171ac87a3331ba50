namespace ResumableUploads.Benchmarks.Measuring;

/// <summary>The medians of one side of a case: per GiB, or per upload for small uploads.</summary>
internal sealed record SideMedians(string Name, bool IsSmall, double Rate, double Processor, double Allocated, double Peak, double P50, double P99);
