using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Content;
using ResumableUploads.Engine.Diagnostics;
using ResumableUploads.Engine.Expiration;
using ResumableUploads.Engine.Quotas;

namespace ResumableUploads.Engine.Appending;

/// <summary>The part of an append that runs under the lock: checks the request, creates a missing upload, and appends the body.</summary>
internal sealed class AppendProcessor(
    EngineContext context, SingleRequestUpload singleRequest, UploadCreator creator, AppendExecutor executor, AppendFinisher finisher, UploadRemover remover)
{
    private readonly ContentComparer _contentComparer = new(context);
    private readonly UploadReplacement _replacement = new(context, executor, remover);
    private readonly EmptyBodyDetector _emptyBodyDetector = new(context.Settings, context.Time, context.Stopping);

    /// <param name="append">The request.</param>
    /// <param name="current">The upload as it is under the lock, or null if it does not exist.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    public async ValueTask<AppendStep> ProcessAsync(LockedAppend append, UploadInfo? current, CancellationToken cancellationToken)
    {
        if (context.Stopping.IsCancellationRequested)
        {
            return new UploadResult(UploadResultKind.ShuttingDown, current?.Offset);
        }

        if (append.Command.Permit is not null && await context.UsedPermits.ContainsAsync(append.Command.Key, current, cancellationToken))
        {
            return new UploadResult(UploadResultKind.PermitUsed);
        }

        bool isReplacement = current is not null && await ReplacesAsync(append, current);
        if (isReplacement && await context.Takeover.TakeOverAsync(current!, cancellationToken) is var takeover and not TakeoverStatus.NotShared)
        {
            if (takeover == TakeoverStatus.StillAppending)
            {
                return new UploadResult(UploadResultKind.Busy);
            }

            current = await context.Store.GetAsync(append.Command.Key, cancellationToken);
            isReplacement = current is not null && await ReplacesAsync(append, current);
        }

        UploadInfo? info = current;
        if (isReplacement)
        {
            append = append with { Command = append.Command with { Replaces = current } };
            info = null;
        }

        AppendCommand command = append.Command;
        EngineRecord? record = info is null ? null : EngineRecord.From(info);
        if (record is not null)
        {
            UploadTracing.LinkToCreation(command.Activity, record);
        }

        if (record?.MaxUploadSize < AppendValidator.GetMaxUploadSize(command, context.Settings))
        {
            command = command with { MaxUploadSize = record.MaxUploadSize };
            append = append with { Command = command };
        }

        AppendStep? rejection = info is null ? CheckNewUpload(command) : await CheckExistingUploadAsync(append, info, record!, cancellationToken);
        if (rejection is not null)
        {
            return rejection;
        }

        // Checked before an upload is created.
        if (!CanStage(command, info) || !_replacement.CanReplace(command))
        {
            return new UploadResult(UploadResultKind.DigestUnsupported, current?.Offset ?? 0) { UploadLength = current?.Length };
        }

        QuotaAccount account = QuotaAccount.From(command);
        if (!context.Quota.TryReserveAppend(account))
        {
            return new UploadResult(UploadResultKind.TooManyAppends, current?.Offset ?? 0);
        }

        try
        {
            return info is null
                ? await CreateAndAppendAsync(append, cancellationToken)
                : await executor.AppendAsync(append, info, record!, content: null, cancellationToken);
        }
        finally
        {
            context.Quota.ReleaseAppend(account);
        }
    }

    /// <summary>Returns whether the request starts an existing upload over.</summary>
    private async ValueTask<bool> ReplacesAsync(LockedAppend append, UploadInfo info)
    {
        AppendCommand command = append.Command;
        bool mayReplace = command is { Permit: null, CreateIfMissing: not null, Offset: 0, BodyLength: not 0 } && EngineRecord.AllowsAccess(info, command.MatchesCreationRequest) && info.State switch
        {
            UploadState.Receiving => command.StartsOver && (info.Offset > 0 || !Fits(command, info)),
            UploadState.Completed => context.Settings.StartOverAfterCompletion || command.RestartAtOffsetZero,
            _ => false,
        };
        return mayReplace && (command.BodyLength is not null || !await _emptyBodyDetector.IsEmptyAsync(command, append.Lock));
    }

    /// <summary>Returns whether the body may be appended to an upload without bytes.</summary>
    private bool Fits(AppendCommand command, UploadInfo info) =>
        AppendValidator.CheckAgainstUpload(command, info, EngineRecord.From(info), context.Settings) is null;

    private static AppendStep? CheckNewUpload(AppendCommand command)
    {
        if (command.CreateIfMissing is null)
        {
            return new UploadResult(UploadResultKind.NotFound);
        }

        return command.Offset != 0 ? AppendValidator.OffsetMismatch(command, 0) : (AppendStep?)null;
    }

    /// <summary>Performs all checks that do not read the body.</summary>
    /// <returns>The failure, or null if the body may be appended.</returns>
    private async ValueTask<AppendStep?> CheckExistingUploadAsync(LockedAppend append, UploadInfo info, EngineRecord record, CancellationToken cancellationToken)
    {
        if (!append.Command.Matches(record))
        {
            return new UploadResult(UploadResultKind.DifferentRequest, info.Offset);
        }

        if (append.Command.Permit?.Allows(record) is false)
        {
            return new UploadResult(UploadResultKind.PermitUsed);
        }

        if (record.Concatenation is { IsPart: false })
        {
            return new UploadResult(UploadResultKind.ConcatenationNotAppendable, info.State == UploadState.Receiving ? null : info.Offset);
        }

        if (info.State != UploadState.Receiving)
        {
            return await AppendToReceivedAsync(append, info, record, cancellationToken);
        }

        return AppendValidator.CheckAgainstUpload(append.Command, info, record, context.Settings) is { } failure ? failure : (AppendStep?)null;
    }

    /// <summary>Handles a request for an upload that accepts no more bytes. An empty body at the final offset requests the result.</summary>
    private async ValueTask<AppendStep> AppendToReceivedAsync(LockedAppend append, UploadInfo info, EngineRecord record, CancellationToken cancellationToken)
    {
        AppendCommand command = append.Command;
        if (await _contentComparer.IsDifferentAsync(command, info, record, cancellationToken))
        {
            // Other content would be a second upload.
            return command.Permit is not null ? new UploadResult(UploadResultKind.PermitUsed) : new UploadResult(UploadResultKind.DifferentContent, info.Offset) { UploadLength = info.Length };
        }

        bool isEmpty = command.BodyLength == 0
            || (command.BodyLength is null && command.Offset == info.Offset && await _emptyBodyDetector.IsEmptyAsync(command, append.Lock));
        cancellationToken.ThrowIfCancellationRequested();
        if (!isEmpty)
        {
            return new UploadResult(UploadResultKind.AlreadyComplete, info.Offset) { ProvidedOffset = command.Offset, UploadLength = info.Length };
        }

        if (command.Offset != info.Offset)
        {
            return AppendValidator.OffsetMismatch(command, info.Offset, info.Length);
        }

        return command.UploadLength is { } length && length != info.Offset
            ? new UploadResult(UploadResultKind.LengthConflict, info.Offset) { UploadLength = info.Length }
            : new AppendStep.ResultPending(info, IsRepeat: info.State == UploadState.Completed);
    }

    private bool CanStage(AppendCommand command, UploadInfo? info) =>
        !command.IsStaged
        || (context.Store.GetCapability<IStagedAppendStore>() is { } store
            && (command.BodyLength ?? AppendValidator.GetRemainingCapacity(command, info, context.Settings).Bytes) <= store.MaxStagedLength);

    private async ValueTask<AppendStep> CreateAndAppendAsync(LockedAppend append, CancellationToken cancellationToken)
    {
        AppendCommand command = append.Command;
        using AppendContent? content = singleRequest.CanCreate(command)
            ? executor.CreateContent(append, command.KnownLength, command.BodyLength!.Value)
            : null;
        CreationResult creation = await creator.CreateAsync(command, command.CreateIfMissing!, append.Callbacks, content, cancellationToken);
        if (creation is CreationResult.Failed failed)
        {
            return failed.Result;
        }

        var created = (CreationResult.Created)creation;
        if (command.Permit is not null && await context.UsedPermits.ContainsAsync(command.Key, current: null, cancellationToken))
        {
            // Another process has removed the upload of the permit after this request has looked for the marker.
            await RemoveIfReceivingAsync(command.Key, created.Record, cancellationToken);
            return new UploadResult(UploadResultKind.PermitUsed);
        }

        if (command.Replaces is { } replaced)
        {
            return await _replacement.AppendAsync(append, replaced, created, cancellationToken);
        }

        if (command.Observer is { } observer)
        {
            await observer.OnCreatedAsync(created.Info);
        }

        if (created.HasContent)
        {
            content!.Progress = executor.CreateProgressReporter(append, created.Info, created.Record);
            content.ReportDurable(created.Info.Offset);
            AppendStep received = finisher.CreateReceivedStep(created.Info, created.Record, append.Callbacks);
            received.IsCreated = true;
            received.ProgressReported = content.WaitForProgressAsync();
            return received;
        }

        return await AppendToCreatedAsync(append, created, content, cancellationToken);
    }

    private async ValueTask<AppendStep> AppendToCreatedAsync(
        LockedAppend append, CreationResult.Created created, AppendContent? content, CancellationToken cancellationToken)
    {
        UploadKey key = append.Command.Key;
        AppendStep step;
        try
        {
            // Another process may have created the upload and may already have appended to it.
            step = await CheckExistingUploadAsync(append, created.Info, created.Record, cancellationToken)
                ?? await (append.Command is { BodyLength: 0, IsStaged: false } && !created.IsForeign
                    ? executor.AppendEmptyAsync(append, created.Info, created.Record, cancellationToken)
                    : executor.AppendAsync(append, created.Info, created.Record, content, cancellationToken));
        }
        catch (UploadStoreException e)
        {
            step = context.ReportFailure(e, key);
        }

        if (step is AppendStep.Finished { Result: { Kind: UploadResultKind.DigestMismatch or UploadResultKind.DigestMissing } mismatch })
        {
            // The request has no effect, so the upload that it created is removed. An upload whose key the server generated has no offset then.
            if (!created.IsForeign)
            {
                await RemoveUnusedAsync(key, created.Record, cancellationToken);
            }

            return append.Command.IsServerGeneratedKey ? mismatch with { Offset = null } : mismatch;
        }

        step.IsCreated = !created.IsForeign;
        return step;
    }

    // The lambdas are in methods of their own, because a method with a lambda allocates its closure on entry.
    private async ValueTask RemoveIfReceivingAsync(UploadKey key, EngineRecord record, CancellationToken cancellationToken) =>
        await context.WithGracePeriodAsync(key, token => remover.RemoveIfReceivingAsync(key, token, record.IsOf), cancellationToken);

    private async ValueTask RemoveUnusedAsync(UploadKey key, EngineRecord record, CancellationToken cancellationToken) =>
        await context.WithGracePeriodAsync(key, token => remover.RemoveUnusedAsync(key, record, token), cancellationToken);
}
