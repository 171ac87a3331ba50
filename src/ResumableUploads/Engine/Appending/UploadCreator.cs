using Microsoft.Extensions.Logging;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Content;
using ResumableUploads.Engine.Quotas;

namespace ResumableUploads.Engine.Appending;

/// <summary>What came of the wish for a new upload.</summary>
/// <param name="Failure">Why there is none, or null.</param>
/// <param name="Info">The upload, which another process may have made at the same moment; null where there is none.</param>
/// <param name="Record">What its record says.</param>
internal readonly record struct CreationResult(UploadResult? Failure, UploadInfo? Info, EngineRecord Record)
{
    /// <summary>Whether all of its bytes are there already, by this request.</summary>
    public bool IsCompleted { get; init; }
}

/// <summary>Makes an upload, when the owner has room and the application has nothing against it.</summary>
internal sealed class UploadCreator(
    IUploadStore store, RecordPolicy recordPolicy, OwnerQuota quota, SingleRequestUpload singleRequest, UploadMetrics metrics, TimeProvider time, ILogger logger)
{
    /// <summary>What is written later (a lease, a name) needs room beside it.</summary>
    private const int MaxInitialRecordLength = UploadRecord.MaxDataLength * 3 / 4;

    /// <param name="command">What the client wants.</param>
    /// <param name="createCommand">What it says about the upload.</param>
    /// <param name="callbacks">The application.</param>
    /// <param name="content">The body, where the upload may be made with all of it in one step; else null.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async ValueTask<CreationResult> CreateAsync(
        AppendCommand command, CreateCommand createCommand, IUploadCallbacks callbacks, AppendContent? content, CancellationToken cancellationToken)
    {
        var record = new EngineRecord
        {
            Protocol = createCommand.Protocol,
            EngineName = recordPolicy.EngineName,
            Created = time.GetUtcNow(),
            RawFileName = createCommand.RawFileName,
            ContentType = createCommand.ContentType,
            Request = createCommand.Request,
            ProtocolMetadata = createCommand.ProtocolMetadata,
            Concatenation = createCommand.Concatenation,
            ReprDigest = command.ReprDigest?.ToString(),
            RequestedDigestAlgorithm = command.RequestedDigestAlgorithm?.Name,
        };

        if (record.ToBytes().Length > MaxInitialRecordLength)
        {
            return new CreationResult(new UploadResult(UploadResultKind.MetadataTooLarge), null, record);
        }

        if (await quota.ReserveUploadAsync(command.Key, command.KnownLength, command.BodyLength, cancellationToken) is { } exceededLimit)
        {
            Log.CreationRejected(logger, command.Key, exceededLimit);
            return new CreationResult(new UploadResult(exceededLimit), null, record);
        }

        bool isOpen = false;
        try
        {
            CreationDecision decision = await callbacks.OnCreatingAsync(command.Key, createCommand, command.KnownLength, cancellationToken);
            if (decision.Rejection is { } rejection)
            {
                return new CreationResult(new UploadResult(UploadResultKind.Rejected) { Rejection = rejection }, null, record);
            }

            record = record with { FileName = decision.FileName };
            var made = content is null ? null
                : await singleRequest.TryCreateAsync(command, record, content, callbacks, cancellationToken);
            (CreateResult result, EngineRecord written) = made ?? (await store
                .CreateAsync(command.Key, recordPolicy.CreateReceiving(record, command.KnownLength), cancellationToken), record);
            if (result.Info is { } info)
            {
                isOpen = made is null;
                metrics.UploadCreated();
                Log.Created(logger, command.Key);
                return new CreationResult(null, info, written) { IsCompleted = !isOpen };
            }

            // Another process was first: from here on it is an upload like any other.
            UploadInfo? other = await store.GetAsync(command.Key, cancellationToken);
            return other is null ? new CreationResult(new UploadResult(UploadResultKind.Busy), null, record) : new CreationResult(null, other, EngineRecord.From(other));
        }
        finally
        {
            // What is refused has no share of the owner's room, and neither has what is finished.
            if (!isOpen)
            {
                quota.ReleaseUpload(command.Key.Owner, command.KnownLength ?? 0);
            }
        }
    }
}
