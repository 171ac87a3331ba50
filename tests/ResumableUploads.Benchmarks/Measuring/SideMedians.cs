namespace ResumableUploads.Benchmarks.Measuring;

/// <summary>The medians of one side of a case: of bytes, or of uploads where these are small.</summary>
internal sealed record SideMedians(string Name, bool IsSmall, double Rate, double Processor, double Allocated, double Peak, double P50, double P99);
