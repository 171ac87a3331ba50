using ResumableUploads.S3.Content;
using ResumableUploads.S3.State;
using ResumableUploads.S3.Storage;

namespace ResumableUploads.S3.Appending;

/// <summary>
/// Concatenation by reference: the state of the new upload names the segments of another one. An object in the folder of each segment announces the use before the
/// other upload is read again. A deletion of that upload afterwards finds the announcement, and leaves the segments to the clean-up.
/// </summary>
internal static class SegmentReference
{
    /// <summary>Announces the use of the segments of a stream, and returns them, or <see langword="null"/> if they must be copied.</summary>
    /// <param name="context">The parts of the store.</param>
    /// <param name="source">The stream.</param>
    /// <param name="target">The state with the claim of the append that names the segments.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    public static async Task<IReadOnlyList<SegmentRun>?> FindAsync(StoreContext context, SegmentStream source, StoredState target, CancellationToken cancellationToken)
    {
        UploadDocument read = source.State.Document;
        if (source.Position != 0 || source.Length == 0 || source.Context != context)
        {
            return null;
        }

        foreach (string folder in read.Segments.Select(run => run.Folder ?? read.Folder).Distinct())
        {
            using var empty = new MemoryStream();
            string use = $"{target.Key}/{target.Document.Nonce}/{target.Document.Epoch}";
            await context.Storage.PutAsync(context.Keys.GetUse(folder, use), empty, cancellationToken);
        }

        UploadDocument? current = (await context.States.FindAsync(source.State.Key, cancellationToken))?.Document;
        return current is { Phase: UploadPhase.Live, Move: null } && current.Nonce == read.Nonce && current.Offset == source.Length && current.Segments.SequenceEqual(read.Segments)
            ? [.. read.Segments.Select(run => run with { Folder = run.Folder ?? read.Folder })]
            : null;
    }
}
