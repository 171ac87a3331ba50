namespace ResumableUploads.Hosting.Startup;

/// <summary>
/// What stands in front of the pieces. A pipeline is built from its end to its beginning, and middleware reads its options when it is built:
/// what was built before us comes behind us.
/// </summary>
internal sealed class PipelineOrder
{
    private bool _decompressionBehind;
    private bool _rateLimiterBehind;

    public bool HasDecompression { get; set; }

    public bool HasRateLimiter { get; set; }

    public bool DecompressionIsInFront => HasDecompression && !_decompressionBehind;

    public bool RateLimiterIsInFront => HasRateLimiter && !_rateLimiterBehind;

    /// <summary>The pieces are taken here.</summary>
    public void Here()
    {
        _decompressionBehind = HasDecompression;
        _rateLimiterBehind = HasRateLimiter;
    }
}
