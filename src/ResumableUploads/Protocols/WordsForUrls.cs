using ResumableUploads.Engine;

namespace ResumableUploads.Protocols;

/// <summary>What the protocols say in the same words in which the server names the uploads.</summary>
internal static class WordsForUrls
{
    private const string Kept = "What arrived is kept, unless the request had a digest of its bytes. Ask for the offset and go on from there.";

    public static (int Status, string Type, string Title, string Detail) Of(UploadOutcome outcome) => outcome.Kind switch
    {
        OutcomeKind.NotFound => (404, Problem.Own("not-found"), "No such upload",
            "It was never made, is removed, or belongs to somebody else. Make a new one."),
        OutcomeKind.TakenOver => (409, Problem.Own("taken-over"), "Taken over",
            "Another request continues this upload. What was sent is kept."),
        OutcomeKind.Interrupted => (503, Problem.Own("interrupted"), "The body was cut off", Kept),
        OutcomeKind.Idle => (503, Problem.Own("idle"), "No bytes came for too long", Kept),
        OutcomeKind.TooSlow => (503, Problem.Own("too-slow"), "The bytes came too slowly", Kept),
        OutcomeKind.ShuttingDown => (503, Problem.Own("shutting-down"), "The server is restarting", Kept),
        _ => WordsForAll.Of(outcome),
    };
}
