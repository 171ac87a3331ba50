using ResumableUploads.Engine;

namespace ResumableUploads.Protocols;

/// <summary>In how many seconds it is worth to ask again, where time alone helps. The same for every protocol.</summary>
internal static class RetryAfter
{
    public static int? GetSeconds(UploadResultKind kind) => kind switch
    {
        UploadResultKind.ShuttingDown or UploadResultKind.Busy => 1,
        UploadResultKind.HandlerRunning or UploadResultKind.TooManyAppends or UploadResultKind.StorageFailed => 5,
        UploadResultKind.HandlerFailed => 10,
        UploadResultKind.StorageFull => 30,
        UploadResultKind.TooManyUploads => 60,
        _ => null,
    };
}
