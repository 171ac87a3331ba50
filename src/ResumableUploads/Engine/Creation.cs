using Microsoft.Extensions.Logging;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Content;
using ResumableUploads.Engine.Owners;

namespace ResumableUploads.Engine;

/// <summary>What came of the wish for a new upload.</summary>
/// <param name="Refusal">Why there is none, or null.</param>
/// <param name="Info">The upload, which another process may have made at the same moment; null where there is none.</param>
/// <param name="Data">What its record says.</param>
internal readonly record struct NewUpload(UploadOutcome? Refusal, UploadInfo? Info, UploadData Data)
{
    /// <summary>Whether all of its bytes are there already, by this request.</summary>
    public bool IsWhole { get; init; }
}

/// <summary>Makes an upload, when the owner has room and the application has nothing against it.</summary>
internal sealed class Creation(
    IUploadStore store, Records records, OwnerLedger ledger, WholeUpload whole, UploadMetrics metrics, TimeProvider time, ILogger logger)
{
    /// <summary>What is written later (a lease, a name) needs room beside it.</summary>
    private const int MaxDetails = UploadRecord.MaxDataLength * 3 / 4;

    /// <param name="command">What the client wants.</param>
    /// <param name="details">What it says about the upload.</param>
    /// <param name="callbacks">The application.</param>
    /// <param name="content">The body, where the upload may be made with all of it in one step; else null.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async ValueTask<NewUpload> CreateAsync(
        AppendCommand command, UploadDetails details, IUploadCallbacks callbacks, AppendContent? content, CancellationToken cancellationToken)
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
            return new NewUpload(new UploadOutcome(OutcomeKind.DetailsTooLarge), null, data);
        }

        OutcomeKind room = await ledger.ReserveAsync(command.Key, command.KnownLength, command.BodyLength, cancellationToken).ConfigureAwait(false);
        if (room != OutcomeKind.Appended)
        {
            Log.Refused(logger, command.Key, room);
            return new NewUpload(new UploadOutcome(room), null, data);
        }

        bool isOpen = false;
        try
        {
            CreationVerdict verdict = await callbacks.CreatingAsync(command.Key, details, command.KnownLength, cancellationToken).ConfigureAwait(false);
            if (verdict.Refusal is { } refusal)
            {
                return new NewUpload(new UploadOutcome(OutcomeKind.Refused) { Refusal = refusal }, null, data);
            }

            data = data with { FileName = verdict.FileName };
            var made = content is null ? null
                : await whole.TryCreateAsync(command, data, content, callbacks, cancellationToken).ConfigureAwait(false);
            (CreateResult result, UploadData written) = made ?? (await store
                .CreateAsync(command.Key, records.New(data, command.KnownLength), cancellationToken).ConfigureAwait(false), data);
            if (result.Info is { } info)
            {
                isOpen = made is null;
                metrics.Created();
                Log.Created(logger, command.Key);
                return new NewUpload(null, info, written) { IsWhole = !isOpen };
            }

            // Another process was first: from here on it is an upload like any other.
            UploadInfo? other = await store.GetAsync(command.Key, cancellationToken).ConfigureAwait(false);
            return other is null ? new NewUpload(new UploadOutcome(OutcomeKind.Busy), null, data) : new NewUpload(null, other, UploadData.From(other));
        }
        finally
        {
            // What is refused has no share of the owner's room, and neither has what is finished.
            if (!isOpen)
            {
                ledger.Left(command.Key.Owner, command.KnownLength ?? 0);
            }
        }
    }
}
