using CsCheck;

namespace ResumableUploads.TestKit.Model;

/// <summary>What one step of a random history does.</summary>
internal enum StepKind
{
    Create,
    Append,
    AppendCutShort,
    AppendStaged,
    AppendUnwanted,
    Get,
    Update,
    Receive,
    Complete,
    PutOutcome,
    Delete,
    DeleteIfUnchanged,
    Reopen,
}

/// <summary>One step of a history.</summary>
/// <param name="Kind">What it does.</param>
/// <param name="Upload">To which of a few uploads.</param>
/// <param name="Amount">How many bytes are sent, and what the record says.</param>
/// <param name="IsStale">Whether it names an offset or version that is not the present one.</param>
internal readonly record struct Step(StepKind Kind, int Upload, int Amount, bool IsStale)
{
    /// <summary>How many uploads a history is about.</summary>
    public const int Uploads = 3;

    /// <summary>Histories for a store with these abilities.</summary>
    public static Gen<Step[]> Histories(bool stages, bool reopens)
    {
        StepKind[] kinds =
        [
            .. Enum.GetValues<StepKind>().Where(kind =>
                (stages || kind is not (StepKind.AppendStaged or StepKind.AppendUnwanted)) && (reopens || kind != StepKind.Reopen)),

            // More of what makes an upload long.
            StepKind.Create, StepKind.Append, StepKind.Append,
        ];
        return Gen.Select(
            Gen.Int[0, kinds.Length - 1],
            Gen.Int[0, Uploads - 1],
            Gen.OneOf(Gen.Int[0, 3], Gen.Int[0, 9000]),
            Gen.Int[0, 5],
            (kind, upload, amount, staleness) => new Step(kinds[kind], upload, amount, staleness == 0)).Array[0, 25];
    }

    public override string ToString() => $"{Kind} #{Upload} {Amount}{(IsStale ? " stale" : "")}";
}
