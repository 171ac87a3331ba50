using System.Globalization;
using ResumableUploads.Engine;

namespace ResumableUploads.Protocols;

/// <summary>What every protocol says in the same words, because no header of its own is in them.</summary>
internal static class WordsForAll
{
    public static (int Status, string Type, string Title, string Detail) Of(UploadOutcome outcome) => outcome.Kind switch
    {
        OutcomeKind.TooLarge => (413, Problem.Own("too-large"), "The upload is too large",
            string.Create(CultureInfo.InvariantCulture, $"An upload has at most {outcome.MaxSize} bytes here.")),
        OutcomeKind.AppendTooLarge => (413, Problem.Own("append-too-large"), "Too many bytes at once",
            "Send smaller parts: one request has at most max-append-size bytes here. What fitted is kept."),
        OutcomeKind.OwnerQuotaExceeded => (413, Problem.Own("owner-quota"), "Too many bytes in unfinished uploads",
            "Finish or delete other uploads first."),
        OutcomeKind.Parked => (500, Problem.Own("parked"), "Processing failed too often",
            "The server has given the upload up, and keeps its bytes until it expires. Delete it to start again, or ask the server's operator."),
        OutcomeKind.Refused => (outcome.Refusal!.StatusCode, Problem.Own("refused"), "The upload was refused", outcome.Refusal.Reason),
        OutcomeKind.DetailsTooLarge => (431, Problem.Own("headers-too-large"), "The headers are too large",
            "The URL and the headers that describe the content are more than the server keeps."),
        OutcomeKind.TooManyUploads => (429, Problem.Own("too-many-uploads"), "Too many unfinished uploads",
            "Finish or delete other uploads first."),
        OutcomeKind.TooManyAppends => (429, Problem.Own("too-many-requests"), "Too many uploads at a time",
            "Wait for other uploads to end, then go on."),
        OutcomeKind.StorageFull => (507, Problem.Own("storage-full"), "The server is out of space",
            "What was acknowledged is safe. Try again later."),
        _ => (503, Problem.Own("storage-failed"), "The storage does not answer",
            "What was acknowledged is safe. Try again later."),
    };
}
