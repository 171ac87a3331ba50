using CsCheck;

namespace ResumableUploads.TestKit.Model;

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
    Complete,
    Delete,
    DeleteIfVersionMatches,
    Reopen,
}

/// <summary>One operation of a random sequence.</summary>
/// <param name="Kind">The operation.</param>
/// <param name="Upload">The number of the upload.</param>
/// <param name="Size">The number of bytes to append, or the value to store in the record or response.</param>
/// <param name="IsStale">Whether the operation uses an offset or version that is not current.</param>
internal readonly record struct ModelOperation(ModelOperationKind Kind, int Upload, int Size, bool IsStale)
{
    /// <summary>The number of uploads in a sequence.</summary>
    public const int UploadCount = 3;

    /// <summary>Returns a generator of sequences for a store with the given capabilities.</summary>
    public static Gen<ModelOperation[]> GenerateSequences(bool stages, bool reopens)
    {
        ModelOperationKind[] kinds =
        [
            .. Enum.GetValues<ModelOperationKind>().Where(kind =>
                (stages || kind is not (ModelOperationKind.AppendStaged or ModelOperationKind.AppendDiscarded)) && (reopens || kind != ModelOperationKind.Reopen)),

            // Twice as likely, so that uploads exist and grow.
            ModelOperationKind.Create, ModelOperationKind.Append, ModelOperationKind.Append,
        ];
        return Gen.Select(
            Gen.Int[0, kinds.Length - 1],
            Gen.Int[0, UploadCount - 1],
            Gen.OneOf(Gen.Int[0, 3], Gen.Int[0, 9000]),
            Gen.Int[0, 5],
            (kind, upload, size, staleness) => new ModelOperation(kinds[kind], upload, size, staleness == 0)).Array[0, 25];
    }

    public override string ToString() => $"{Kind} #{Upload} {Size}{(IsStale ? " stale" : "")}";
}
