using System.Buffers;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Completion;
using ResumableUploads.Engine.Content;

namespace ResumableUploads.Engine;

/// <summary>
/// Makes an upload with all of its bytes in one step, where they are few and come at once: what is over in a moment needs no upload that could
/// be gone on with.
/// </summary>
internal sealed class WholeUpload(IUploadStore store, Records records, WholeDigest digest, HandlerClaims claims, UploadMetrics metrics)
{
    /// <summary>Whether that may be tried. (A digest that is told behind the body is not there yet when all bytes are.)</summary>
    public bool IsPossible(AppendCommand command) =>
        store.MaxWholeLength is > 0 and var most
        && command is { Offset: 0, BodyLength: { } length, Source: null, ContentDigest: null or { Known: not null }, Creation.Join: null }
        && length <= most
        && AppendChecks.Completes(command.Completion, ContentEnd.Whole, length, command.KnownLength);

    /// <summary>
    /// The upload, received or completed, and what it says; or null where the bytes did not come at once, or are not what was announced: then it is an
    /// upload like any other, which ends as such.
    /// </summary>
    public async ValueTask<(CreateResult Result, UploadData Data)?> TryCreateAsync(
        AppendCommand command, UploadData data, AppendContent content, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        if (await content.GatherAsync().ConfigureAwait(false) is not { } bytes
            || await digest.CheckAsync(command, data, bytes).ConfigureAwait(false) is not { } verified)
        {
            return null;
        }

        metrics.AppendBegins();
        long kept = 0;
        try
        {
            UploadData claimed = callbacks.HasHandler ? verified with { Handler = claims.Begin(null) } : verified;
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
