using System.Buffers;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Completion;
using ResumableUploads.Engine.Content;

namespace ResumableUploads.Engine;

/// <summary>
/// Makes an upload with all of its bytes in one step, where they are few and come at once: what is over in a moment needs no upload that could
/// be gone on with.
/// </summary>
internal sealed class WholeUpload(IUploadStore store, Records records, HandlerClaims claims, UploadMetrics metrics)
{
    /// <summary>Whether that may be tried. Whoever has said what the bytes have to be, or sees how they come, gets an upload that is there before them.</summary>
    public bool IsPossible(AppendCommand command, IUploadCallbacks callbacks) =>
        store.MaxWholeLength is > 0 and var most
        && command is { Offset: 0, BodyLength: { } length, Source: null, IsStaged: false, ReprDigest: null, WantedDigest: null }
        && command.Creation is { Join: null }
        && length <= most
        && AppendChecks.Completes(command.Completion, ContentEnd.Whole, length, command.KnownLength)
        && !callbacks.HasProgress;

    /// <summary>The upload, received or completed, and what it says; or null where the bytes did not come at once.</summary>
    public async ValueTask<(CreateResult Result, UploadData Data)?> TryCreateAsync(
        AppendCommand command, UploadData data, AppendContent content, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        if (await content.GatherAsync().ConfigureAwait(false) is not { } bytes)
        {
            return null;
        }

        metrics.AppendBegins();
        long kept = 0;
        try
        {
            UploadData claimed = callbacks.HasHandler ? data with { Handler = claims.Begin(null) } : data;
            CreateResult result = await store.CreateWholeAsync(
                command.Key,
                callbacks.HasHandler ? records.Received(claimed, bytes.Length) : records.Completed(claimed, bytes.Length),
                bytes,
                cancellationToken).ConfigureAwait(false);
            if (result.Status == CreateStatus.Created)
            {
                kept = bytes.Length;
                content.Reader.AdvanceTo(bytes.End);
            }

            return (result, claimed);
        }
        finally
        {
            metrics.AppendEnds(kept);
        }
    }
}
