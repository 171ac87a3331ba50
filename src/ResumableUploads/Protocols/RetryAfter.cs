using ResumableUploads.Engine;

namespace ResumableUploads.Protocols;

/// <summary>In how many seconds it is worth to ask again, where time alone helps. The same for every protocol.</summary>
internal static class RetryAfter
{
    public static int? For(OutcomeKind kind) => kind switch
    {
        OutcomeKind.ShuttingDown or OutcomeKind.Busy => 1,
        OutcomeKind.StillCompleting or OutcomeKind.TooManyAppends or OutcomeKind.StorageFailed => 5,
        OutcomeKind.HandlerFailed => 10,
        OutcomeKind.StorageFull => 30,
        OutcomeKind.TooManyUploads => 60,
        _ => null,
    };
}
