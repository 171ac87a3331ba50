namespace ResumableUploads.Benchmarks.Cases;

/// <summary>The uploads of one measurement.</summary>
/// <param name="Connections">The number of concurrent connections.</param>
/// <param name="UploadsPerConnection">The number of uploads per connection.</param>
/// <param name="Size">The size of an upload, in bytes.</param>
/// <param name="MaxRequestSize">The maximum number of bytes in a request.</param>
/// <param name="CreatesSeparately">Whether a separate request without content creates the upload.</param>
/// <param name="QueriesOffsetBetweenRequests">Whether the client reconnects and requests the offset before each further chunk, as after an interruption.</param>
internal sealed record UploadWorkload(int Connections, int UploadsPerConnection, long Size, long MaxRequestSize, bool CreatesSeparately = false, bool QueriesOffsetBetweenRequests = false)
{
    private const long Small = 64 * 1024;
    private const long FiveMiB = 5 << 20;

    public int Uploads => Connections * UploadsPerConnection;

    public static UploadWorkload Large(long size) => new(1, 1, size, size);

    public static UploadWorkload Chunked(long size) => new(1, 1, size, FiveMiB);

    public static UploadWorkload EightConcurrent(long size) => new(8, 1, size / 8, size / 8);

    public static UploadWorkload SmallInOneRequest(int each) => new(16, each, Small, Small);

    public static UploadWorkload SixtyFourConcurrent(int each) => new(64, each, Small, Small);

    public static UploadWorkload SmallInTwoRequests(int each) => new(16, each, Small, Small, CreatesSeparately: true);

    public static UploadWorkload Resumed(int each) => new(16, each, Small, Small / 2, QueriesOffsetBetweenRequests: true);
}
