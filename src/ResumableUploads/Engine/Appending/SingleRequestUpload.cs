using System.Buffers;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Completion;
using ResumableUploads.Engine.Content;
using ResumableUploads.Engine.Digests;

namespace ResumableUploads.Engine.Appending;

/// <summary>
/// Makes an upload with all of its bytes in one step, where they are few and come at once: what is over in a moment needs no upload that could
/// be gone on with.
/// </summary>
internal sealed class SingleRequestUpload(IUploadStore store, RecordPolicy recordPolicy, ReprDigestVerifier reprDigestVerifier, HandlerLeases leases, UploadMetrics metrics)
{
    private readonly ISingleRequestStore? _singleRequestStore = store.GetCapability<ISingleRequestStore>();

    /// <summary>Whether that may be tried. (A digest that is told behind the body is not there yet when all bytes are.)</summary>
    public bool CanCreate(AppendCommand command) =>
        _singleRequestStore is { MaxCompletedLength: var maxLength }
        && command is { Offset: 0, BodyLength: { } length, SourceStream: null, ContentDigest: null or { Known: not null }, CreateIfMissing.Concatenation: null }
        && length <= maxLength
        && AppendValidator.CompletesUpload(command.CompletionRule, BodyEndReason.EndOfBody, length, command.KnownLength);

    /// <summary>
    /// The upload, received or completed, and what it says; or null where the bytes did not come at once, or are not what was announced: then it is an
    /// upload like any other, which ends as such.
    /// </summary>
    public async ValueTask<(CreateResult Result, EngineRecord Data)?> TryCreateAsync(
        AppendCommand command, EngineRecord record, AppendContent content, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        if (await content.TryBufferAsync() is not { } bytes
            || await reprDigestVerifier.VerifyAsync(command, record, bytes) is not { } verified)
        {
            return null;
        }

        metrics.AppendStarted();
        long kept = 0;
        try
        {
            EngineRecord claimed = callbacks.HasCompletionHandler ? verified with { Handler = leases.StartAttempt(null) } : verified;
            CreateResult result = await _singleRequestStore!.CreateCompletedAsync(
                command.Key,
                callbacks.HasCompletionHandler ? recordPolicy.CreateReceived(claimed, bytes.Length) : recordPolicy.CreateCompleted(claimed, bytes.Length),
                bytes,
                cancellationToken);
            if (result.Status == CreateStatus.Created)
            {
                kept = bytes.Length;
                content.Reader.AdvanceTo(bytes.End);
            }

            return (result, claimed);
        }
        finally
        {
            metrics.AppendFinished(kept);
        }
    }
}
