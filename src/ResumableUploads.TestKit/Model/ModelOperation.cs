using CsCheck;

namespace ResumableUploads.TestKit.Model;

/// <summary>What one step of a random history does.</summary>
internal enum ModelOperationKind
{
    Create,
    Append,
    AppendTruncated,
    AppendStaged,
    AppendDiscarded,
    Get,
    Update,
    MarkReceived,
    MarkCompleted,
    PutResponse,
    Delete,
    DeleteIfVersionMatches,
    Reopen,
}

/// <summary>One step of a history.</summary>
/// <param name="Kind">What it does.</param>
/// <param name="Upload">To which of a few uploads.</param>
/// <param name="Size">How many bytes are sent, and what the record says.</param>
/// <param name="IsStale">Whether it names an offset or version that is not the present one.</param>
internal readonly record struct ModelOperation(ModelOperationKind Kind, int Upload, int Size, bool IsStale)
{
    /// <summary>How many uploads a history is about.</summary>
    public const int UploadCount = 3;

    /// <summary>Histories for a store with these abilities.</summary>
    public static Gen<ModelOperation[]> GenerateSequences(bool stages, bool reopens)
    {
        ModelOperationKind[] kinds =
        [
            .. Enum.GetValues<ModelOperationKind>().Where(kind =>
                (stages || kind is not (ModelOperationKind.AppendStaged or ModelOperationKind.AppendDiscarded)) && (reopens || kind != ModelOperationKind.Reopen)),

            // More of what makes an upload long.
            ModelOperationKind.Create, ModelOperationKind.Append, ModelOperationKind.Append,
        ];
        return Gen.Select(
            Gen.Int[0, kinds.Length - 1],
            Gen.Int[0, UploadCount - 1],
            Gen.OneOf(Gen.Int[0, 3], Gen.Int[0, 9000]),
            Gen.Int[0, 5],
            (kind, upload, amount, staleness) => new ModelOperation(kinds[kind], upload, amount, staleness == 0)).Array[0, 25];
    }

    public override string ToString() => $"{Kind} #{Upload} {Size}{(IsStale ? " stale" : "")}";
}
