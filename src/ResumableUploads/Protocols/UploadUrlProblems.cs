using ResumableUploads.Engine;

namespace ResumableUploads.Protocols;

/// <summary>What the protocols say in the same words in which the server names the uploads.</summary>
internal static class UploadUrlProblems
{
    private const string KeptDetail = "What arrived is kept, unless the request had a digest of its bytes. Ask for the offset and go on from there.";

    public static (int Status, string Type, string Title, string Detail) Describe(UploadResult result) => result.Kind switch
    {
        UploadResultKind.NotFound => (404, Problem.CustomType("not-found"), "No such upload",
            "It was never made, is removed, or belongs to somebody else. Make a new one."),
        UploadResultKind.Preempted => (409, Problem.CustomType("taken-over"), "Taken over",
            "Another request continues this upload. What was sent is kept."),
        UploadResultKind.Interrupted => (503, Problem.CustomType("interrupted"), "The body was cut off", KeptDetail),
        UploadResultKind.IdleTimeout => (503, Problem.CustomType("idle"), "No bytes came for too long", KeptDetail),
        UploadResultKind.BelowMinDataRate => (503, Problem.CustomType("too-slow"), "The bytes came too slowly", KeptDetail),
        UploadResultKind.ShuttingDown => (503, Problem.CustomType("shutting-down"), "The server is restarting", KeptDetail),
        _ => CommonProblems.Describe(result),
    };
}
