using System.IO.Pipelines;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing;

namespace ResumableUploads.UnitTests.Engine.Appending;

/// <summary>A call of the store that hangs does not hold the lock of its upload for ever.</summary>
public sealed class HangingAppendTests : IAsyncDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly MemoryUploadStore _memory;
    private readonly HangingStore _store;
    private readonly TestEngine _engine;
    private readonly CancellationTokenSource _client = new();

    public HangingAppendTests()
    {
        _memory = new MemoryUploadStore(timeProvider: _time);
        _store = new HangingStore(_memory);
        _engine = new TestEngine(_store, _time);
    }

    public async ValueTask DisposeAsync()
    {
        await _engine.DisposeAsync();
        _client.Dispose();
        _memory.Dispose();
    }

    /// <param name="signal">What ends the request.</param>
    /// <param name="expected">The result of the request.</param>
    [Theory]
    [InlineData("disconnect", UploadResultKind.StorageFailed)]
    [InlineData("preemption", UploadResultKind.StorageFailed)]
    [InlineData("stop", UploadResultKind.ShuttingDown)]
    public async Task Append_that_hangs_within_the_body_ends_after_the_grace_period(string signal, object expected)
    {
        _store.HangsInAppend = true;
        var body = new Pipe();
        await body.Writer.WriteAsync(new byte[10], TestContext.Current.CancellationToken);
        Task<UploadResult> append = _engine.AppendAsync(0, body.Reader, 100, 100, _client.Token);
        await AssertEndsAsync(append, signal, expected);
    }

    /// <inheritdoc cref="Append_that_hangs_within_the_body_ends_after_the_grace_period" path="/param"/>
    [Theory]
    [InlineData("disconnect", UploadResultKind.StorageFailed)]
    [InlineData("preemption", UploadResultKind.StorageFailed)]
    [InlineData("stop", UploadResultKind.ShuttingDown)]
    public async Task Final_record_that_hangs_ends_after_the_grace_period(string signal, object expected)
    {
        _store.HangsInUpdate = true;
        await AssertEndsAsync(_engine.AppendAsync(0, new byte[10], 10, _client.Token), signal, expected);
    }

    /// <inheritdoc cref="Append_that_hangs_within_the_body_ends_after_the_grace_period" path="/param"/>
    [Theory]
    [InlineData("disconnect", UploadResultKind.StorageFailed)]
    [InlineData("preemption", UploadResultKind.StorageFailed)]
    [InlineData("stop", UploadResultKind.ShuttingDown)]
    public async Task Removal_that_hangs_ends_after_the_grace_period(string signal, object expected)
    {
        Assert.Equal(1, (await _engine.AppendAsync(0, new byte[1], 10)).Offset);
        _store.HangsInDelete = true;
        AppendCommand command = TestEngine.CreateCommand(1, new byte[20], null) with { DeleteOnLengthExceeded = true };
        await AssertEndsAsync(_engine.Engine.AppendAsync(command, _engine.Callbacks, _client.Token).AsTask(), signal, expected, offset: 1);
    }

    [Fact]
    public async Task Creation_that_hangs_ends_after_another_request_needs_the_lock()
    {
        _store.HangsInCreate = true;
        await AssertEndsAsync(_engine.AppendAsync(0, new byte[10], 100, _client.Token), "preemption", UploadResultKind.StorageFailed);
    }

    private async Task AssertEndsAsync(Task<UploadResult> append, string signal, object expected, long offset = 0)
    {
        await Eventually.WithinAsync(_store.Hanging.Task);
        _time.Advance(TestSettings.Default.AppendGracePeriod * 5);
        Assert.False(append.IsCompleted);
        Task<UploadInfo?>? other = null;
        switch (signal)
        {
            case "disconnect":
                await _client.CancelAsync();
                break;
            case "preemption":
                other = _engine.Engine.GetStatusAsync(TestEngine.Key, false, null, default).AsTask();
                break;
            default:
                _engine.Engine.Stop();
                break;
        }

        long start = _time.GetTimestamp();
        await Eventually.TrueAsync(() => append.IsCompleted, "the append ends", () => _time.Advance(TimeSpan.FromSeconds(1)));
        Exception? canceled = await Record.ExceptionAsync(() => append);
        Assert.True(_time.GetElapsedTime(start) >= TestSettings.Default.AppendGracePeriod);
        if (canceled is null)
        {
            Assert.Equal(expected, (await append).Kind);
        }
        else
        {
            Assert.True(canceled is OperationCanceledException && signal == "disconnect", $"{canceled}");
        }

        _store.HangsInAppend = _store.HangsInUpdate = _store.HangsInDelete = _store.HangsInCreate = false;
        if (other is not null)
        {
            await Eventually.WithinAsync(other);
        }

        if (signal != "stop")
        {
            // The lock of the upload was released.
            long current = (await _engine.GetAsync())?.Offset ?? 0;
            Assert.InRange(current, offset, 10);
            UploadResult next = await _engine.AppendAsync(current, new byte[current == 10 ? 0 : 1], current == 10 ? 10 : 100);
            Assert.NotEqual(UploadResultKind.Busy, next.Kind);
        }
    }

    /// <summary>A store whose calls hang on demand until their token is canceled. An append has read the first block of its content then.</summary>
    private sealed class HangingStore(IUploadStore store) : DelegatingUploadStore(store)
    {
        public bool HangsInAppend { get; set; }

        public bool HangsInUpdate { get; set; }

        public bool HangsInDelete { get; set; }

        public bool HangsInCreate { get; set; }


        public TaskCompletionSource Hanging { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override async ValueTask<CreateResult> CreateAsync(UploadKey key, UploadRecord record, CancellationToken cancellationToken)
        {
            await HangAsync(HangsInCreate, cancellationToken);
            return await base.CreateAsync(key, record, cancellationToken);
        }

        public override async ValueTask<AppendResult> AppendAsync(
            UploadKey key, long offset, UploadContent content, AppendMode mode, CancellationToken cancellationToken)
        {
            if (HangsInAppend)
            {
                ReadResult block = await content.Reader.ReadAsync(CancellationToken.None);
                content.Reader.AdvanceTo(block.Buffer.End);
            }

            await HangAsync(HangsInAppend, cancellationToken);
            return await base.AppendAsync(key, offset, content, mode, cancellationToken);
        }

        public override async ValueTask<UpdateResult> UpdateAsync(UploadKey key, string version, UploadRecord record, CancellationToken cancellationToken)
        {
            await HangAsync(HangsInUpdate, cancellationToken);
            return await base.UpdateAsync(key, version, record, cancellationToken);
        }

        public override async ValueTask<DeleteResult> DeleteAsync(UploadKey key, string? version, CancellationToken cancellationToken)
        {
            await HangAsync(HangsInDelete, cancellationToken);
            return await base.DeleteAsync(key, version, cancellationToken);
        }

        private async Task HangAsync(bool hangs, CancellationToken cancellationToken)
        {
            if (hangs)
            {
                Hanging.TrySetResult();
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
            }
        }
    }
}
