using System.Text.Json;
using Microsoft.JSInterop;
using ResumableUploads.Blazor;
using ResumableUploads.Blazor.Interop;

namespace ResumableUploads.UnitTests.Blazor;

public class UploadReceiverTests
{
    private readonly RecordedEvents _events = new();
    private readonly UploadReceiver _receiver;

    public UploadReceiverTests() => _receiver = new UploadReceiver(_events);

    [Fact]
    public void Receive_repeated_message_raises_its_events_once()
    {
        Assert.True(Receive(1, Event("state", 1, "uploading")));
        Assert.True(Receive(1, Event("state", 1, "uploading")));
        Assert.True(Receive(2, Event("state", 1, "completed")));

        Assert.Equal([(BrowserUploadState.Uploading, null), (BrowserUploadState.Completed, BrowserUploadState.Uploading)], _events.States);
    }

    [Fact]
    public void Receive_while_handler_runs_keeps_the_order()
    {
        var running = new TaskCompletionSource();
        _events.Wait = running.Task;
        Assert.True(Receive(1, Event("state", 1, "uploading"), Event("state", 1, "paused")));
        Assert.True(Receive(2, Event("state", 1, "uploading")));
        Assert.Single(_events.States);

        running.SetResult();

        Assert.Equal([BrowserUploadState.Uploading, BrowserUploadState.Paused, BrowserUploadState.Uploading], _events.States.Select(static state => state.State));
    }

    [Fact]
    public void Receive_too_many_queued_events_is_not_acknowledged()
    {
        _events.Wait = new TaskCompletionSource().Task;
        string[] many = [.. Enumerable.Repeat(Event("state", 1, "uploading"), 900)];
        Assert.True(Receive(1, many));

        Assert.False(Receive(2, many));
        Assert.True(Receive(2, many[..100]));
    }

    [Fact]
    public void Uploads_are_bounded_and_without_removed_ones()
    {
        for (int i = 0; i < 11; i++)
        {
            Receive(i + 1, [.. Enumerable.Range(i * 1000, 1000).Select(static key => Event("state", key, "idle"))]);
        }

        Assert.Equal(10_000, _receiver.Uploads.Count);
        Receive(20, Event("removed", 5, "completed"));
        Assert.Equal(9_999, _receiver.Uploads.Count);
    }

    [Theory]
    [InlineData("too-large", BrowserUploadFailureReason.TooLarge)]
    [InlineData("digest-mismatch", BrowserUploadFailureReason.DigestMismatch)]
    [InlineData("a-new-reason", BrowserUploadFailureReason.Unknown)]
    [InlineData("3", BrowserUploadFailureReason.Unknown)]
    public void Failure_reason_of_any_version_is_read(string reason, BrowserUploadFailureReason expected)
    {
        Receive(1, $$"""{ "kind": "state", "upload": { "key": 1, "name": "a", "relativePath": "a", "state": "failed", "failure": { "reason": "{{reason}}", "status": 400, "canRetry": true } } }""");

        Assert.Equal(expected, Assert.Single(_receiver.Uploads).Failure!.Reason);
    }

    [Theory]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("""{ "sequence": 1, "events": [null] }""")]
    [InlineData("""{ "sequence": 1, "events": [{ "kind": "state", "upload": { "name": null } }] }""")]
    [InlineData("""{ "sequence": 1, "events": [{ "kind": "state", "upload": { "name": "a", "relativePath": "a", "result": { "status": 200 } } }] }""")]
    [InlineData("""{ "sequence": 1, "events": [{ "kind": "other", "upload": {} }] }""")]
    [InlineData("""{ "sequence": 1, "events": [], "progress": { "running": [null] } }""")]
    public void Receive_invalid_message_changes_nothing(string json)
    {
        Assert.Throws<JsonException>(() => { _receiver.Receive(JsonElement.Parse(json)); });
        Assert.Empty(_events.States);
        Assert.Empty(_receiver.Uploads);
    }

    [Fact]
    public void Progress_with_impossible_time_has_no_time_left()
    {
        _receiver.Receive(JsonElement.Parse("""{ "sequence": 1, "events": [], "progress": { "offset": 5, "size": 10, "secondsLeft": 1e300, "running": [] } }"""));

        Assert.Equal((5, 10, null), (_events.Progress!.Offset, _events.Progress.Size, _events.Progress.TimeLeft));
    }

    [Fact]
    public async Task Connection_of_lost_circuit_is_disposed_without_exception()
    {
        Connection connection = await Connection.OpenAsync(new LostCircuit(), "module.js", default, _events, default);

        await connection.DisposeAsync();
    }

    [Fact]
    public async Task Headers_of_concurrent_requests_are_requested_once()
    {
        Task<JsonElement> first = _receiver.GetHeaders(isUnauthorized: false);
        Task<JsonElement> second = _receiver.GetHeaders(isUnauthorized: false);
        Assert.Single(_events.HeadersCalls);

        // The token of the first call may be the one that was rejected.
        Task<JsonElement> rejected = _receiver.GetHeaders(isUnauthorized: true);
        Task<JsonElement> waiting = _receiver.GetHeaders(isUnauthorized: false);
        Assert.Equal(2, _events.HeadersCalls.Count);
        _events.HeadersCalls[0].SetResult(new Dictionary<string, string> { ["A"] = "old" });
        _events.HeadersCalls[1].SetResult(new Dictionary<string, string> { ["A"] = "new" });

        Assert.Equal(["old", "old", "new", "new"], (await Task.WhenAll(first, second, rejected, waiting)).Select(static headers => headers.GetProperty("A").GetString()));
        _ = _receiver.GetHeaders(isUnauthorized: false);
        Assert.Equal(3, _events.HeadersCalls.Count);
    }

    [Fact]
    public async Task Failed_call_for_headers_is_reported_and_not_reused()
    {
        Task<JsonElement> failed = _receiver.GetHeaders(isUnauthorized: true);
        _events.HeadersCalls[0].SetException(new HttpRequestException("No token."));
        await Assert.ThrowsAsync<HttpRequestException>(() => failed);

        Task<JsonElement> next = _receiver.GetHeaders(isUnauthorized: true);
        _events.HeadersCalls[1].SetResult(new Dictionary<string, string> { ["A"] = "new" });
        Assert.Equal("new", (await next).GetProperty("A").GetString());
    }

    private bool Receive(long sequence, params string[] events) =>
        _receiver.Receive(JsonElement.Parse($$"""{ "sequence": {{sequence}}, "events": [{{string.Join(',', events)}}] }"""));

    private static string Event(string kind, int key, string state) =>
        $$"""{ "kind": "{{kind}}", "upload": { "key": {{key}}, "name": "a", "relativePath": "a", "size": 1, "offset": 0, "state": "{{state}}" } }""";

    private sealed class RecordedEvents : IUploadEvents
    {
        public List<(BrowserUploadState State, BrowserUploadState? Previous)> States { get; } = [];

        public BrowserUploadProgress? Progress { get; private set; }

        /// <summary>Gets or sets what a handler waits for.</summary>
        public Task Wait { get; set; } = Task.CompletedTask;

        public Task RaiseAsync(ElementEvent uploadEvent)
        {
            States.Add((uploadEvent.Upload.State, uploadEvent.PreviousState));
            return Wait;
        }

        public List<TaskCompletionSource<IReadOnlyDictionary<string, string>>> HeadersCalls { get; } = [];

        public Task<IReadOnlyDictionary<string, string>> GetHeadersAsync(bool isUnauthorized)
        {
            HeadersCalls.Add(new TaskCompletionSource<IReadOnlyDictionary<string, string>>());
            return HeadersCalls[^1].Task;
        }

        public void ReportProgress(BrowserUploadProgress progress) => Progress = progress;
    }

    /// <summary>A runtime whose circuit is lost after the connection was made.</summary>
    private sealed class LostCircuit : IJSRuntime, IJSObjectReference
    {
        public ValueTask<TValue> InvokeAsync<TValue>(string identifier, object?[]? args) => identifier is "import" or "connect"
            ? ValueTask.FromResult((TValue)(object)this)
            : throw new JSDisconnectedException("The circuit is lost.");

        public ValueTask<TValue> InvokeAsync<TValue>(string identifier, CancellationToken cancellationToken, object?[]? args) => InvokeAsync<TValue>(identifier, args);

        public ValueTask DisposeAsync() => throw new JSDisconnectedException("The circuit is lost.");
    }
}
