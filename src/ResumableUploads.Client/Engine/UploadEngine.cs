using ResumableUploads.Client.Protocols;
using ResumableUploads.Client.Sources;

namespace ResumableUploads.Client.Engine;

/// <summary>Uploads one file or stream: creates or finds the upload, requests its offset, sends the missing bytes, and retries.</summary>
internal sealed class UploadEngine(IUploadProtocol protocol, RequestSender sender, UploadSource source, UploadDescription description, UploadOptions options, UploadStateKeeper state, ProgressReporter progress)
{
    /// <summary>The maximum size of an upload that is sent without a request for the limits: an <c>OPTIONS</c> request takes as long as a rejection.</summary>
    private const int MaxUndiscoveredSize = 64 * 1024;
    private const int MinReducedChunk = 64 * 1024;
    private const int MaxRestarts = 3;

    private readonly Backoff _backoff = new(options.Retry, sender.TimeProvider);
    private readonly OffsetTracker _offsets = new();
    private readonly FailureFactory _failures = new(new UploadReference(options.Protocol, description.Uri));
    private UploadLimits _limits = UploadLimits.None;
    private UploadReference? _upload;

    /// <summary>The length that the server knows, which some servers do not accept a second time.</summary>
    private long? _knownLength = description.Length;
    private bool _isDiscovered = description.Length <= MaxUndiscoveredSize;

    /// <summary>The status response that reported the upload as complete.</summary>
    private ServerResponse? _completeStatus;
    private int _appends;
    private long _lastCount;

    /// <summary>The maximum size of a request after a 413. The server may report a larger one, if a proxy in front of it has responded.</summary>
    private long _reducedChunk = long.MaxValue;

    /// <summary>The number of requests that got no response and may still reach the server.</summary>
    private int _lost;
    private int _restarts;

    /// <summary>The offset of the last request whose digest did not match.</summary>
    private long? _mismatchedAt;

    public async Task<UploadResponseMessage> RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            _upload = await state.FindAsync(cancellationToken);
            while (true)
            {
                cancellationToken.ThrowIfCancellationRequested();
                UploadResponseMessage? response = _upload is null ? await CreateAsync(cancellationToken)
                    : _offsets.Current is not { } offset ? await RequestStatusAsync(_upload, cancellationToken)
                    : await AppendAsync(_upload, offset, cancellationToken);
                if (response is not null)
                {
                    await state.RemoveAsync(cancellationToken);
                    progress.Report(source.Length ?? _offsets.Highest, source.Length, isAcknowledged: true);
                    return response;
                }
            }
        }
        catch (SourceException e)
        {
            // If the last response was lost, the app may have accepted the content before it changed. Without a status, the upload is left to expire.
            if (e.Reason == UploadFailureReason.SourceChanged && _upload is { } upload && await IsCompleteAsync(upload, cancellationToken) == false)
            {
                await AbandonAsync(upload, cancellationToken);
            }

            throw new UploadException(e.Reason, e.Message, e.InnerException) { Upload = _upload };
        }
    }

    private async Task<UploadResponseMessage?> CreateAsync(CancellationToken cancellationToken)
    {
        await DiscoverAsync(cancellationToken);
        if (!protocol.HasCreation)
        {
            await SetUploadAsync(description.Uri, cancellationToken);
            return null;
        }

        SendResult result = await sender.SendAsync(_ => protocol.CreateCreation(description), expectContinue: false, cancellationToken);
        if (result.Response is not { } response)
        {
            await RetryAsync(result, cancellationToken);
            return null;
        }

        Step step = protocol.ReadCreation(response, description);
        if (step.Kind == StepKind.Created)
        {
            await SetUploadAsync(step.Location!, cancellationToken);
            SetOffset(step.Offset ?? 0);
            return options.Protocol == UploadProtocol.Tus && description.Length == 0 ? Complete(response, wasAlreadyComplete: false) : null;
        }

        if (step.Kind is StepKind.Retry or StepKind.AtOffset)
        {
            await RetryAsync(result, cancellationToken);
            return null;
        }

        throw step.Kind switch
        {
            StepKind.SendLess => Failure(UploadFailureReason.TooLarge, $"The server has rejected the length of the content (status code {response.StatusCode}).", response),
            StepKind.Gone => Failure(UploadFailureReason.NotSupported, $"There is no upload endpoint at {description.Uri} (status code {response.StatusCode}).", response),
            _ => Failure(step.Reason, step.Message!, response),
        };
    }

    private async Task SetUploadAsync(Uri location, CancellationToken cancellationToken)
    {
        _upload = new UploadReference(options.Protocol, location, protocol.HasCreation ? null : state.Identity.FileId);
        await state.SaveAsync(_upload, description.Length, cancellationToken);
    }

    /// <summary>Requests the limits of the server before any content is sent. A server that does not respond to this has no known limits.</summary>
    private async Task DiscoverAsync(CancellationToken cancellationToken)
    {
        if (_isDiscovered)
        {
            return;
        }

        _isDiscovered = true;
        SendResult result = await sender.SendAsync(_ => protocol.CreateDiscovery(description.Uri), expectContinue: false, cancellationToken);
        if (result.Response is not { IsSuccess: true } response)
        {
            return;
        }

        _limits = _limits.Update(UploadLimits.Read(response));
        if (protocol.ReadDiscovery(response, description) is { } step)
        {
            throw Failure(step.Reason, step.Message!, response);
        }

        if (description.Length > _limits.MaxSize)
        {
            throw Failure(UploadFailureReason.TooLarge, $"The content has {description.Length} bytes, but the server accepts at most {_limits.MaxSize}.", response);
        }
    }

    private async Task<UploadResponseMessage?> RequestStatusAsync(UploadReference upload, CancellationToken cancellationToken)
    {
        SendResult result = await sender.SendAsync(_ => protocol.CreateStatus(upload), expectContinue: false, cancellationToken);
        if (result.Response is not { } response)
        {
            await RetryAsync(result, cancellationToken);
            return null;
        }

        Step step = protocol.ReadStatus(response);
        if (step is { Kind: StepKind.AtOffset, IsComplete: true })
        {
            _completeStatus = response;
        }

        if (step.Kind == StepKind.AtOffset && response.IsSuccess)
        {
            _limits = _limits.Update(UploadLimits.Read(response));
            _knownLength = step.Length ?? description.Length;
            SetOffset(step.Offset!.Value);
            return null;
        }

        await HandleAsync(step, result, cancellationToken);
        return null;
    }

    private async Task<UploadResponseMessage?> AppendAsync(UploadReference upload, long offset, CancellationToken cancellationToken)
    {
        SourceRange range = await source.PrepareAsync(offset, GetMaxCount(), cancellationToken);
        var append = new Append(offset, range.Count, range.IsLast, source.Length)
        {
            ReprDigest = range.IsLast ? await source.GetDigestAsync(cancellationToken) : null,
            ContentDigest = range.Count > 0 && options.ChunkDigest != UploadDigest.None ? await source.GetRangeDigestAsync(offset, range.Count, options.ChunkDigest, cancellationToken) : null,
        };
        (_appends, _lastCount) = (_appends + 1, range.Count);
        RangeContent? content = null;
        SendResult result = await sender.SendAsync(
            watchdog =>
            {
                content = new RangeContent(source, offset, range.Count, _offsets.Sending, end => Sent(end, watchdog));
                return protocol.CreateAppend(upload, description with { Length = _knownLength }, append, content);
            },
            expectContinue: _backoff.Retries > 0,
            cancellationToken);

        // Each further send by a handler of the app may also reach the server.
        _lost += Math.Max(0, content!.Sends - 1);
        if (result.Response is not { } response)
        {
            _offsets.Forget();
            await RetryAsync(result, cancellationToken);
            return null;
        }

        _limits = _limits.Update(UploadLimits.Read(response));
        Step step = protocol.ReadAppend(response, append);
        if (step.Kind == StepKind.Complete)
        {
            return response.StatusCode < 400
                ? Complete(response, _appends == 1 && range.Count == 0 && response.IsReplayed)
                : throw Failure(UploadFailureReason.Rejected, $"The app has rejected the upload (status code {response.StatusCode}).", response);
        }

        if (step.Kind == StepKind.AtOffset && response.IsSuccess)
        {
            _knownLength = append.Length;

            // Counts as a retry, because a server that keeps reporting the same offset would cause an endless loop.
            if (!SetOffset(step.Offset!.Value))
            {
                await RetryAsync(result, cancellationToken);
            }

            return null;
        }

        if (range.Count == 0 && _completeStatus is { } status && HasNoStoredResponse(response, step))
        {
            return Complete(status, _appends == 1);
        }

        if (range.IsLast && response is { WasRedirected: true, IsOfUploadEndpoint: false } && await IsCompleteAsync(upload, cancellationToken) == true)
        {
            // The redirect is the response of the app if this request has completed the upload. If an earlier one has, it can be a redirect to a sign-in page.
            bool isOfApp = range.Count > 0 && _lost == 0 && response.StatusCode < 400;
            return Complete(isOfApp ? response : _completeStatus!, wasAlreadyComplete: false);
        }

        await HandleAsync(step, result, cancellationToken);
        return null;
    }

    /// <summary>Returns whether the rejection of an empty append to a complete upload shows that the server stores no responses.</summary>
    private bool HasNoStoredResponse(ServerResponse response, Step step) =>
        protocol.HasCreation
        && (step.Kind == StepKind.AtOffset || step is { Kind: StepKind.Failed, Reason: UploadFailureReason.Rejected or UploadFailureReason.NotSupported })
        && !response.WasRedirected
        && !response.IsReplayed
        && response.Problem?.ShortType is null or "completed-upload";

    /// <summary>Returns whether the upload is complete, or null if the server does not report its status.</summary>
    private async Task<bool?> IsCompleteAsync(UploadReference upload, CancellationToken cancellationToken)
    {
        SendResult result = await sender.SendAsync(_ => protocol.CreateStatus(upload), expectContinue: false, cancellationToken);
        if (result.Response is not { IsSuccess: true } response || protocol.ReadStatus(response) is not { Kind: StepKind.AtOffset } step)
        {
            return null;
        }

        _completeStatus = step.IsComplete ? response : null;
        return step.IsComplete;
    }

    private void Sent(long end, StallWatchdog watchdog)
    {
        watchdog.Touch();
        progress.Report(end, source.Length);
    }

    /// <summary>Handles a response that is no success.</summary>
    private async Task HandleAsync(Step step, SendResult result, CancellationToken cancellationToken)
    {
        ServerResponse response = result.Response!;
        switch (step.Kind)
        {
            case StepKind.AtOffset:
                if (!SetOffset(step.Offset!.Value))
                {
                    await RetryAsync(result, cancellationToken);
                }

                break;
            case StepKind.Retry:
                _offsets.Forget();
                await RetryAsync(result, cancellationToken);
                break;
            case StepKind.Gone:
                await StartOverAsync(result, cancellationToken);
                break;
            case StepKind.SendLess:
                ReduceChunk(response);
                _offsets.Forget();
                break;
            case StepKind.Failed when step.Reason == UploadFailureReason.TakenOver && _lost > 0:
                // An earlier request of this client, whose connection was lost, may have arrived late. Each one can do so once.
                _lost--;
                _offsets.Forget();
                await RetryAsync(result, cancellationToken);
                break;
            case StepKind.Failed when step.Reason == UploadFailureReason.DigestMismatch && options.ChunkDigest != UploadDigest.None && _mismatchedAt != _offsets.Current:
                // The bytes may have changed on their way.
                _mismatchedAt = _offsets.Current;
                _offsets.Forget();
                await RetryAsync(result, cancellationToken);
                break;
            default:
                if (step.Reason == UploadFailureReason.DigestMismatch && _upload is { } upload)
                {
                    // No status request: a tus server that has all bytes may complete the upload because of it.
                    await AbandonAsync(upload, cancellationToken);
                }

                throw Failure(step.Reason, step.Message ?? $"Unexpected response (status code {response.StatusCode}).", response);
        }
    }

    private async Task StartOverAsync(SendResult result, CancellationToken cancellationToken)
    {
        await state.RemoveAsync(cancellationToken);
        if (!protocol.HasCreation)
        {
            throw Failure(UploadFailureReason.NotSupported, $"There is no upload endpoint at {description.Uri} (status code {result.Response!.StatusCode}).", result.Response);
        }

        if (source.FirstOffset > 0 || ++_restarts > MaxRestarts)
        {
            throw Failure(UploadFailureReason.Gone, "The upload no longer exists on the server.", result.Response!);
        }

        (_upload, _completeStatus, _knownLength) = (null, null, description.Length);
        _offsets.Reset();
        if (_appends > 0)
        {
            await RetryAsync(result, cancellationToken);
        }
    }

    /// <summary>Accepts an offset of the server. Returns whether it is progress.</summary>
    private bool SetOffset(long offset)
    {
        if (_offsets.Check(offset, source.Length, source.FirstOffset) is var (reason, message))
        {
            throw Failure(reason, message);
        }

        bool isProgress = _offsets.Accept(offset);
        if (isProgress)
        {
            _backoff.Reset();
        }

        progress.Report(offset, source.Length, isAcknowledged: true);
        return isProgress;
    }

    private long GetMaxCount()
    {
        long accepted = Math.Min(_reducedChunk, _limits.MaxAppendSize ?? long.MaxValue);
        long wanted = options.ChunkSize ?? (options.ChunkDigest == UploadDigest.None ? long.MaxValue : UploadSource.DefaultChunkSize);
        return Math.Max(Math.Min(wanted, accepted), Math.Min(_limits.MinAppendSize ?? 1, accepted));
    }

    /// <summary>
    /// Reduces the maximum request size after a 413: to the reported limit or, without one, as from a proxy, to half the size of the last request.
    /// </summary>
    private void ReduceChunk(ServerResponse response)
    {
        long? reported = UploadLimits.Read(response).MaxAppendSize;
        long current = _lastCount;
        long reduced = reported ?? current / 2;
        if (reduced >= current || (reported is null && reduced < MinReducedChunk) || reduced < 1)
        {
            throw Failure(UploadFailureReason.TooLarge, $"The server has rejected a request with {current} bytes as too large.", response);
        }

        _reducedChunk = reduced;
    }

    private async Task RetryAsync(SendResult last, CancellationToken cancellationToken)
    {
        _lost += last.Response is null ? 1 : 0;
        if (await _backoff.WaitAsync(last, cancellationToken))
        {
            return;
        }

        throw _failures.CreateExhausted(_backoff.Retries, _upload, last);
    }

    /// <summary>Removes the state of an upload that cannot be continued, and makes one attempt to delete the upload.</summary>
    private async Task AbandonAsync(UploadReference upload, CancellationToken cancellationToken)
    {
        await state.RemoveAsync(cancellationToken);
        await sender.SendAsync(_ => protocol.CreateCancellation(upload), expectContinue: false, cancellationToken);
    }

    private UploadResponseMessage Complete(ServerResponse response, bool wasAlreadyComplete) => response.ToResponseMessage(_upload!, wasAlreadyComplete);

    private UploadException Failure(UploadFailureReason reason, string message, ServerResponse? response = null) => _failures.Create(reason, message, _upload, response);
}
