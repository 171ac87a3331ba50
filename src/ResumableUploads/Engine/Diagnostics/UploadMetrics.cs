using System.Diagnostics.Metrics;
using ResumableUploads.Abstractions;
using ResumableUploads.Infrastructure;

namespace ResumableUploads.Engine.Diagnostics;

/// <summary>
/// The metrics of uploads and requests, published by the meter <see cref="DiagnosticNames.Meter"/>. No attribute has an id, a name or an owner. Nothing is
/// allocated while no listener is enabled.
/// </summary>
internal sealed class UploadMetrics : IDisposable
{
    private readonly Meter _meter;
    private readonly UploadActivity? _activity;
    private readonly UploadCounters _uploads;
    private readonly RequestCounters _requests;
    private readonly UpDownCounter<long> _activeAppends;
    private readonly Counter<long> _receivedBytes;
    private readonly Histogram<double> _uploadDuration;
    private readonly Histogram<double> _appendDuration;
    private readonly Histogram<long> _appendSize;
    private readonly Histogram<double> _handlerDuration;
    private readonly Histogram<int> _handlerAttempts;
    private readonly Histogram<double> _storeOperationDuration;

    /// <summary>Creates the metrics of an engine.</summary>
    /// <param name="factory">The factory of the meter, or null.</param>
    /// <param name="activity">What all engines of the application count for an operator, or null.</param>
    public UploadMetrics(IMeterFactory? factory, UploadActivity? activity = null)
    {
        _activity = activity;
        _meter = factory?.Create(DiagnosticNames.Meter) ?? new Meter(DiagnosticNames.Meter);
        _uploads = new UploadCounters(_meter);
        _requests = new RequestCounters(_meter);
        _activeAppends = _meter.CreateUpDownCounter<long>("resumable_uploads.active_appends", "{request}", "Number of requests whose content is being stored.");
        _receivedBytes = _meter.CreateCounter<long>("resumable_uploads.append.io", "By", "Number of bytes stored.");
        _uploadDuration = _meter.CreateHistogram(
            "resumable_uploads.upload.duration", "s", "Time from the creation of an upload to its completion.", advice: Buckets.Uploads);
        _appendDuration = _meter.CreateHistogram(
            "resumable_uploads.append.duration", "s", "Duration of append requests, without the completion handler.", advice: Buckets.Appends);
        _appendSize = _meter.CreateHistogram("resumable_uploads.append.size", "By", "Number of bytes that an append request has stored.", advice: Buckets.Sizes);
        _handlerDuration = _meter.CreateHistogram("resumable_uploads.handler.duration", "s", "Duration of runs of completion handlers.", advice: Buckets.Appends);
        _handlerAttempts = _meter.CreateHistogram(
            "resumable_uploads.handler.attempts", "{attempt}", "Number of runs of the completion handler until the upload was completed or dead-lettered.", advice: Buckets.Attempts);
        _storeOperationDuration = _meter.CreateHistogram(
            "resumable_uploads.store.operation.duration", "s", "Duration of operations of the store.", advice: Buckets.Operations);
    }

    /// <summary>Gets whether the durations of operations of the store are recorded.</summary>
    public bool MeasuresStoreOperations => _storeOperationDuration.Enabled;

    public void UploadCreated(UploadOrigin origin) => Count(_uploads.Created, origin);

    public void UploadReceived(UploadOrigin origin) => Count(_uploads.Received, origin);

    public void UploadCanceled(UploadOrigin origin) => Count(_uploads.Canceled, origin);

    /// <summary>Counts an upload that was removed because it expired.</summary>
    /// <param name="origin">The origin of the upload.</param>
    /// <param name="state">The state that it had.</param>
    public void UploadExpired(UploadOrigin origin, UploadState state)
    {
        if (_uploads.Expired.Enabled)
        {
            _uploads.Expired.Add(1, Protocol(origin), Route(origin), new(DiagnosticNames.State, OutcomeNames.Of(state)));
        }
    }

    /// <summary>Counts an upload whose completion handler failed in its first run, or that can never be completed.</summary>
    public void UploadFailed(UploadOrigin origin, string errorType)
    {
        if (_uploads.Failed.Enabled)
        {
            _uploads.Failed.Add(1, Protocol(origin), Route(origin), new(DiagnosticNames.ErrorType, errorType));
        }
    }

    /// <summary>Counts a completed upload.</summary>
    /// <param name="origin">The origin of the upload.</param>
    /// <param name="duration">The time since its creation.</param>
    /// <param name="attempts">The number of runs of its handler, or 0 if it has none.</param>
    public void UploadCompleted(UploadOrigin origin, TimeSpan duration, int attempts)
    {
        Count(_uploads.Completed, origin);
        if (_uploadDuration.Enabled)
        {
            _uploadDuration.Record(duration.TotalSeconds, Protocol(origin), Route(origin));
        }

        if (attempts > 0)
        {
            RecordAttempts(origin, attempts, "completed");
        }
    }

    public void UploadDeadLettered(UploadOrigin origin, int attempts)
    {
        Count(_uploads.DeadLettered, origin);
        RecordAttempts(origin, attempts, "dead_lettered");
    }

    /// <summary>Counts a request whose content the store is about to read.</summary>
    /// <returns>Whether the request was counted. It must be passed to <see cref="AppendFinished"/>.</returns>
    public bool AppendStarted(UploadOrigin origin)
    {
        _activity?.AppendStarted();
        bool isCounted = _activeAppends.Enabled;
        if (isCounted)
        {
            _activeAppends.Add(1, Protocol(origin), Route(origin));
        }

        return isCounted;
    }

    public void AppendFinished(UploadOrigin origin, bool isCounted, long bytes)
    {
        _activity?.AppendFinished();
        if (isCounted)
        {
            _activeAppends.Add(-1, Protocol(origin), Route(origin));
        }

        if (_receivedBytes.Enabled)
        {
            _receivedBytes.Add(bytes, Protocol(origin), Route(origin));
        }

        if (_appendSize.Enabled)
        {
            _appendSize.Record(bytes, Protocol(origin), Route(origin));
        }
    }

    /// <summary>Records an append request that has a result.</summary>
    public void RequestFinished(UploadOrigin origin, UploadResultKind kind, TimeSpan duration)
    {
        if (_appendDuration.Enabled)
        {
            _appendDuration.Record(duration.TotalSeconds, Protocol(origin), Route(origin), new(DiagnosticNames.Outcome, OutcomeNames.Of(kind)));
        }

        switch (kind)
        {
            case UploadResultKind.Preempted:
                _activity?.Preempted();
                Count(_requests.Preemptions, origin);
                break;
            case UploadResultKind.Replayed:
                Count(_requests.Replays, origin);
                break;
            case UploadResultKind.DigestMismatch or UploadResultKind.DigestMissing or UploadResultKind.ReprDigestMismatch:
                Count(_requests.DigestMismatches, origin);
                break;
        }
    }

    /// <summary>Counts a request that was answered with a problem.</summary>
    /// <param name="origin">The origin of the request.</param>
    /// <param name="problem">The last part of the problem type.</param>
    /// <param name="statusCode">The status code of the response.</param>
    public void RequestRefused(UploadOrigin origin, string problem, int statusCode)
    {
        _activity?.Refused(problem);
        if (_requests.Refusals.Enabled)
        {
            _requests.Refusals.Add(
                1,
                [Protocol(origin), Route(origin), new(DiagnosticNames.ErrorType, problem), new(DiagnosticNames.StatusCode, statusCode)]);
        }
    }

    public void HandlerFinished(UploadOrigin origin, string outcome, TimeSpan duration)
    {
        if (_handlerDuration.Enabled)
        {
            _handlerDuration.Record(duration.TotalSeconds, Protocol(origin), Route(origin), new(DiagnosticNames.Outcome, outcome));
        }
    }

    /// <summary>Records an operation of the store.</summary>
    /// <param name="operation">The name of the operation.</param>
    /// <param name="duration">Its duration.</param>
    /// <param name="failure">The reason why it failed, or null if it returned a result.</param>
    public void StoreOperationFinished(string operation, TimeSpan duration, StoreFailure? failure)
    {
        KeyValuePair<string, object?> name = new(DiagnosticNames.Operation, operation);
        if (failure is { } reason)
        {
            _storeOperationDuration.Record(duration.TotalSeconds, name, new(DiagnosticNames.ErrorType, OutcomeNames.Of(reason)));
        }
        else
        {
            _storeOperationDuration.Record(duration.TotalSeconds, name);
        }
    }

    public void Dispose() => _meter.Dispose();

    private void RecordAttempts(UploadOrigin origin, int attempts, string outcome)
    {
        if (_handlerAttempts.Enabled)
        {
            _handlerAttempts.Record(attempts, Protocol(origin), Route(origin), new(DiagnosticNames.Outcome, outcome));
        }
    }

    private static void Count(Counter<long> counter, UploadOrigin origin)
    {
        if (counter.Enabled)
        {
            counter.Add(1, Protocol(origin), Route(origin));
        }
    }

    private static KeyValuePair<string, object?> Protocol(UploadOrigin origin) => new(DiagnosticNames.Protocol, origin.Protocol);

    private static KeyValuePair<string, object?> Route(UploadOrigin origin) => new(DiagnosticNames.Route, origin.Endpoint);

    /// <summary>The numbers of uploads that were changed in some way.</summary>
    private sealed class UploadCounters(Meter meter)
    {
        public Counter<long> Created { get; } = Create(meter, "created", "Number of uploads created.");

        public Counter<long> Received { get; } = Create(meter, "received", "Number of uploads all of whose bytes are stored.");

        public Counter<long> Completed { get; } = Create(meter, "completed", "Number of uploads completed.");

        public Counter<long> Failed { get; } = Create(meter, "failed", "Number of uploads whose completion handler failed in its first run, or that can never be completed.");

        public Counter<long> DeadLettered { get; } = Create(meter, "dead_lettered", "Number of uploads whose completion handler does not run again.");

        public Counter<long> Expired { get; } = Create(meter, "expired", "Number of uploads removed because they expired, by state. Completed uploads expire after their retention.");

        public Counter<long> Canceled { get; } = Create(meter, "canceled", "Number of uploads removed by their clients or an operator.");

        private static Counter<long> Create(Meter meter, string name, string description) =>
            meter.CreateCounter<long>("resumable_uploads.upload." + name, "{upload}", description);
    }

    /// <summary>The numbers of requests with some results.</summary>
    private sealed class RequestCounters(Meter meter)
    {
        public Counter<long> Preemptions { get; } = meter.CreateCounter<long>(
            "resumable_uploads.preemptions", "{request}", "Number of append requests that another request for the same upload has ended.");

        public Counter<long> Refusals { get; } = meter.CreateCounter<long>(
            "resumable_uploads.refusals", "{request}", "Number of requests answered with a problem, by problem type.");

        public Counter<long> DigestMismatches { get; } = meter.CreateCounter<long>(
            "resumable_uploads.digest_mismatches", "{request}", "Number of append requests whose content does not match its digest.");

        public Counter<long> Replays { get; } = meter.CreateCounter<long>(
            "resumable_uploads.replayed_responses", "{request}", "Number of requests answered with the stored response of a completed upload.");
    }
}
