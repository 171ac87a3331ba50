namespace ResumableUploads.Benchmarks.Cases;

/// <summary>What is sent in one measurement.</summary>
/// <param name="Connections">How many connections send at a time.</param>
/// <param name="Each">How many uploads each of them sends.</param>
/// <param name="Size">How many bytes an upload has.</param>
/// <param name="Piece">How many of them a request has, at most.</param>
/// <param name="CreatesFirst">Whether a request without content makes the upload.</param>
/// <param name="AsksBetween">Whether the client asks where it is before each further piece, over a new connection, as after a broken one.</param>
internal sealed record UploadShape(int Connections, int Each, long Size, long Piece, bool CreatesFirst = false, bool AsksBetween = false)
{
    private const long Small = 64 * 1024;
    private const long FivePieces = 5 << 20;

    public int Uploads => Connections * Each;

    public static UploadShape Large(long size) => new(1, 1, size, size);

    public static UploadShape Pieces(long size) => new(1, 1, size, FivePieces);

    public static UploadShape EightAtATime(long size) => new(8, 1, size / 8, size / 8);

    public static UploadShape SmallInOne(int each) => new(16, each, Small, Small);

    public static UploadShape SmallInTwo(int each) => new(16, each, Small, Small, CreatesFirst: true);

    public static UploadShape Resumed(int each) => new(16, each, Small, Small / 2, AsksBetween: true);
}
