using Microsoft.Extensions.Logging;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Owners;

namespace ResumableUploads.Engine;

/// <summary>Makes an upload, when the owner has room and the application has nothing against it.</summary>
internal sealed class Creation(IUploadStore store, Records records, OwnerLedger ledger, UploadMetrics metrics, TimeProvider time, ILogger logger)
{
    /// <summary>What is written later (a lease, a name) needs room beside it.</summary>
    private const int MaxDetails = UploadRecord.MaxDataLength * 3 / 4;

    /// <summary>The new upload (or the one that another process made at the same moment), or why there is none.</summary>
    public async ValueTask<(UploadOutcome? Refusal, UploadInfo? Info, UploadData Data)> CreateAsync(
        AppendCommand command, UploadDetails details, IUploadCallbacks callbacks, CancellationToken cancellationToken)
    {
        var data = new UploadData
        {
            Protocol = details.Protocol,
            Endpoint = records.Endpoint,
            Created = time.GetUtcNow(),
            RawFileName = details.RawFileName,
            ContentType = details.ContentType,
            Request = details.Request,
            TusMetadata = details.TusMetadata,
            Join = details.Join,
            ReprDigest = command.ReprDigest?.ToString(),
            WantedDigest = command.WantedDigest?.Name,
        };

        if (data.ToBytes().Length > MaxDetails)
        {
            return (new UploadOutcome(OutcomeKind.DetailsTooLarge), null, data);
        }

        OutcomeKind room = await ledger.ReserveAsync(command.Key, command.KnownLength, command.BodyLength, cancellationToken).ConfigureAwait(false);
        if (room != OutcomeKind.Appended)
        {
            Log.Refused(logger, command.Key, room);
            return (new UploadOutcome(room), null, data);
        }

        bool created = false;
        try
        {
            CreationVerdict verdict = await callbacks.CreatingAsync(command.Key, details, command.KnownLength, cancellationToken).ConfigureAwait(false);
            if (verdict.Refusal is { } refusal)
            {
                return (new UploadOutcome(OutcomeKind.Refused) { Refusal = refusal }, null, data);
            }

            data = data with { FileName = verdict.FileName };
            CreateResult result = await store
                .CreateAsync(command.Key, records.New(data, command.KnownLength), cancellationToken).ConfigureAwait(false);
            if (result.Status == CreateStatus.Created)
            {
                created = true;
                metrics.Created();
                Log.Created(logger, command.Key);
                return (null, result.Info!, data);
            }

            // Another process was first: from here on it is an upload like any other.
            UploadInfo? info = await store.GetAsync(command.Key, cancellationToken).ConfigureAwait(false);
            return info is null ? (new UploadOutcome(OutcomeKind.Busy), null, data) : (null, info, UploadData.From(info));
        }
        finally
        {
            if (!created)
            {
                ledger.Left(command.Key.Owner, command.KnownLength ?? 0);
            }
        }
    }
}
