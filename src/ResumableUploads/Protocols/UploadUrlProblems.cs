using ResumableUploads.Engine;

namespace ResumableUploads.Protocols;

/// <summary>The problems that are the same in the protocols in which the server assigns upload URLs (tus and the IETF draft).</summary>
internal static class UploadUrlProblems
{
    private const string KeptDetail = "Request the offset and continue there. The received bytes were stored, unless the request had a digest of its content.";

    /// <summary>The next step after a creation that was rejected because of its digest.</summary>
    public const string NotCreatedDetail = "No upload was created. Send the creation again with a correct digest.";

    public static (int Status, string Type, string Title, string Detail) Describe(UploadResult result) => result.Kind switch
    {
        UploadResultKind.NotFound => (404, Problem.CustomType("not-found"), "The upload does not exist",
            "It was not created, has been removed, or belongs to another user. Create a new upload."),
        UploadResultKind.Preempted => (409, Problem.CustomType("taken-over"), "The request was preempted",
            "Another request continues this upload. The received bytes were stored, unless the request had a digest of its content."),
        UploadResultKind.Interrupted => (503, Problem.CustomType("interrupted"), "The request body was interrupted", KeptDetail),
        UploadResultKind.IdleTimeout => (503, Problem.CustomType("idle"), "The request body timed out", KeptDetail),
        UploadResultKind.BelowMinDataRate => (503, Problem.CustomType("too-slow"), "The request body was too slow", KeptDetail),
        UploadResultKind.ShuttingDown => (503, Problem.CustomType("shutting-down"), "The server is shutting down", KeptDetail),
        _ => CommonProblems.Describe(result),
    };
}
