using System.Buffers;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Completion;
using ResumableUploads.Engine.Content;
using ResumableUploads.Engine.Digests;

namespace ResumableUploads.Engine.Appending;

/// <summary>
/// Creates an upload together with all of its content, if the content is short and arrives immediately. This needs one call of the store instead
/// of three.
/// </summary>
internal sealed class SingleRequestUpload(EngineContext context, HandlerLeases leases)
{
    private readonly ISingleRequestStore? _singleRequestStore = context.Store.GetCapability<ISingleRequestStore>();
    private readonly IDeferredSyncStore? _deferredSyncStore = context.Store.GetCapability<IDeferredSyncStore>();

    /// <summary>
    /// Returns whether the upload may be created together with its content. This is not possible if the digest of the body is in a trailer, or if a permit must
    /// be checked after the creation.
    /// </summary>
    public bool CanCreate(AppendCommand command) =>
        _singleRequestStore is { MaxCompletedLength: var maxLength }
        && command is { Offset: 0, BodyLength: { } length, SourceStream: null, Replaces: null, Permit: null, ContentDigest: null or { Expected: not null }, CreateIfMissing.Concatenation: null }
        && length <= maxLength
        && AppendValidator.CompletesUpload(command.CompletionRule, BodyEndReason.EndOfBody, length, command.KnownLength);

    /// <summary>Creates the upload together with its content.</summary>
    /// <param name="command">The append that creates the upload.</param>
    /// <param name="record">The engine's data in the record. The final state is added to it when the content has arrived.</param>
    /// <param name="content">The body.</param>
    /// <param name="callbacks">The application.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>
    /// The store's result and the engine's data as written; or null, with the record unchanged, if the content did not arrive in time or does not match its digest.
    /// The body can then still be read from its start.
    /// </returns>
    public async ValueTask<(CreateResult Result, EngineRecord Record)?> TryCreateAsync(
        AppendCommand command, EngineRecord record, AppendContent content, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        if (await content.TryBufferAsync() is not { } bytes
            || await ReprDigestVerifier.VerifyBufferedAsync(command, record, bytes) is not (var written, true))
        {
            return null;
        }

        RecordPolicy policy = context.RecordPolicy;
        bool isCounted = context.Lifecycle.AppendStarted(command);
        long storedLength = 0;
        try
        {
            ValueTask<CreateResult> creation;
            if (callbacks.HasCompletionHandler)
            {
                written.Handler = leases.StartAttempt(null);
                creation = CreateReceivedAsync(CanDefer(command, record, callbacks), command.Key, policy.CreateReceived(written, bytes.Length), bytes, cancellationToken);
            }
            else
            {
                written.IsContentStored = true;
                creation = _singleRequestStore!.CreateCompletedAsync(command.Key, policy.CreateCompleted(written, bytes.Length), bytes, cancellationToken);
            }

            CreateResult result = await creation;
            if (result.Status == CreateStatus.Created)
            {
                storedLength = bytes.Length;
                content.Reader.AdvanceTo(bytes.End);
            }

            return (result, written);
        }
        finally
        {
            context.Metrics.AppendFinished(command.Origin, isCounted, storedLength);
        }
    }

    /// <summary>
    /// Returns whether nothing reports the upload before the change that follows the handler: no interim response, no progress, and no endpoint, which may send
    /// the beginning of its response.
    /// </summary>
    private bool CanDefer(AppendCommand command, EngineRecord record, IUploadCallbacks callbacks) =>
        _deferredSyncStore is not null && command.Observer is null && !callbacks.HasProgressHandler && record.Request is null;

    /// <summary>Creates an upload whose handler runs next.</summary>
    private ValueTask<CreateResult> CreateReceivedAsync(
        bool isDeferred, UploadKey key, UploadRecord record, in ReadOnlySequence<byte> content, CancellationToken cancellationToken) => isDeferred
        ? _deferredSyncStore!.CreateCompletedDeferredAsync(key, record, content, cancellationToken)
        : _singleRequestStore!.CreateCompletedAsync(key, record, content, cancellationToken);
}
