namespace ResumableUploads.Benchmarks.Cases;

/// <summary>What is sent in one measurement.</summary>
/// <param name="Connections">How many connections send at a time.</param>
/// <param name="UploadsPerConnection">How many uploads each of them sends.</param>
/// <param name="Size">How many bytes an upload has.</param>
/// <param name="MaxRequestSize">How many of them a request has, at most.</param>
/// <param name="CreatesSeparately">Whether a request without content makes the upload.</param>
/// <param name="QueriesOffsetBetweenRequests">Whether the client asks where it is before each further piece, over a new connection, as after a broken one.</param>
internal sealed record UploadWorkload(int Connections, int UploadsPerConnection, long Size, long MaxRequestSize, bool CreatesSeparately = false, bool QueriesOffsetBetweenRequests = false)
{
    private const long Small = 64 * 1024;
    private const long FiveMiB = 5 << 20;

    public int Uploads => Connections * UploadsPerConnection;

    public static UploadWorkload Large(long size) => new(1, 1, size, size);

    public static UploadWorkload Chunked(long size) => new(1, 1, size, FiveMiB);

    public static UploadWorkload EightConcurrent(long size) => new(8, 1, size / 8, size / 8);

    public static UploadWorkload SmallInOneRequest(int each) => new(16, each, Small, Small);

    public static UploadWorkload SmallInTwoRequests(int each) => new(16, each, Small, Small, CreatesSeparately: true);

    public static UploadWorkload Resumed(int each) => new(16, each, Small, Small / 2, QueriesOffsetBetweenRequests: true);
}
