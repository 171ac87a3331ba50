using ResumableUploads.Engine;

namespace ResumableUploads.Protocols;

/// <summary>The values of <c>Retry-After</c>, which are the same in all protocols.</summary>
internal static class RetryAfter
{
    /// <summary>Returns the recommended delay in seconds, or null if waiting alone does not help.</summary>
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
