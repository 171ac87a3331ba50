using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Content;
using ResumableUploads.Engine.Diagnostics;
using ResumableUploads.Engine.Quotas;

namespace ResumableUploads.Engine.Appending;

/// <summary>Creates uploads, if the owner's quota and the application allow it.</summary>
internal sealed class UploadCreator(EngineContext context, SingleRequestUpload singleRequest)
{
    /// <summary>
    /// The maximum size, in bytes, of a new record. The rest of the space is for data that is added later: a handler lease, a file name, and digests.
    /// </summary>
    private const int MaxInitialRecordLength = UploadRecord.MaxDataLength * 3 / 4;

    /// <summary>Creates an upload, or returns the upload that another process has created concurrently.</summary>
    /// <param name="command">The append that creates the upload.</param>
    /// <param name="createCommand">The description of the upload in the request.</param>
    /// <param name="callbacks">The application.</param>
    /// <param name="content">The body, if the upload may be created together with all of it; otherwise null.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    public async ValueTask<CreationResult> CreateAsync(
        AppendCommand command, CreateCommand createCommand, IUploadCallbacks callbacks, AppendContent? content, CancellationToken cancellationToken)
    {
        EngineRecord record = BuildRecord(command, createCommand);
        ReadOnlyMemory<byte> encoded = record.ToBytes();
        if (encoded.Length > MaxInitialRecordLength)
        {
            return new CreationResult.Failed(new UploadResult(UploadResultKind.MetadataTooLarge));
        }

        UploadKey storeKey = command.Replaces is null ? command.Key : UploadReplacement.CreateTemporaryKey(command.Key);
        var target = new QuotaTarget(storeKey, QuotaAccount.From(command)) { Replaced = command.Replaces };
        (QuotaReservation? reservation, UploadResultKind? failure) =
            await context.Quota.ReserveUploadAsync(target, command.KnownLength, command.BodyLength, cancellationToken);
        if (reservation is null)
        {
            Log.CreationRejected(context.Logger, command.Key, failure!.Value);
            return new CreationResult.Failed(new UploadResult(failure.Value));
        }

        QuotaUsage? used = default(QuotaUsage);
        try
        {
            CreationDecision decision = callbacks.HasCreatingHandler
                ? await callbacks.OnCreatingAsync(command.Key, createCommand, command.KnownLength, cancellationToken)
                : default;
            if (decision.Interruption is { } interruption)
            {
                return new CreationResult.Failed(new UploadResult(interruption));
            }

            if (decision.Rejection is { } rejection)
            {
                return new CreationResult.Failed(new UploadResult(UploadResultKind.Rejected) { Rejection = rejection });
            }

            if (decision.FileName is not null || decision.Request is not null)
            {
                record.FileName = decision.FileName;
                record.Request = decision.Request ?? record.Request;
                encoded = record.ToBytes();
            }

            used = null;
            var single = content is null ? null : await singleRequest.TryCreateAsync(command, record, content, callbacks, cancellationToken);
            (CreateResult result, EngineRecord written) = single
                ?? (await context.Store.CreateAsync(storeKey, context.RecordPolicy.CreateReceiving(record, encoded, command.KnownLength), cancellationToken), record);
            if (result.Info is { } info)
            {
                used = QuotaUsage.Of(info);
                context.Lifecycle.Created(command.Key, written);
                return new CreationResult.Created(info, written, HasContent: single is not null);
            }

            // Another process has created the upload. The request continues with the existing upload, unless it was going to replace that one.
            return command.Replaces is null && await context.Store.GetAsync(command.Key, cancellationToken) is { } other
                ? new CreationResult.Created(other, EngineRecord.From(other), HasContent: false) { IsForeign = true }
                : new CreationResult.Failed(new UploadResult(UploadResultKind.Busy));
        }
        finally
        {
            await reservation.SettleAsync(used);
        }
    }

    private EngineRecord BuildRecord(AppendCommand command, CreateCommand createCommand)
    {
        string engineName = createCommand.EngineName ?? context.Settings.GetEngineNames().First();
        return BuildRecord(command, createCommand, engineName);
    }

    private EngineRecord BuildRecord(AppendCommand command, CreateCommand createCommand, string engineName) => new()
    {
        Protocol = createCommand.Protocol,
        EngineName = engineName,
        Route = command.Origin.Endpoint == UploadOrigin.GetEndpoint(engineName) ? null : command.Origin.Endpoint,
        Created = context.Time.GetUtcNow(),
        TraceParent = UploadTracing.GetTraceParent(command.Activity),
        Network = command.Network,
        RawFileName = createCommand.RawFileName,
        ContentType = createCommand.ContentType,
        ContentCoding = createCommand.ContentCoding,
        Request = createCommand.Request,
        ProtocolMetadata = createCommand.ProtocolMetadata,
        MaxUploadSize = createCommand.MaxUploadSize,
        CompletesAtLength = createCommand.CompletesAtLength ? true : null,
        Concatenation = createCommand.Concatenation,
        Permit = command.Permit,
        ReprDigest = command.ReprDigest?.ToString(),
        RequestedDigestAlgorithm = command.RequestedDigestAlgorithm?.Name,
    };
}
