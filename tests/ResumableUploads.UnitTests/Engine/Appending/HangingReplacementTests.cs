using System.Buffers;
using System.IO.Pipelines;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Engine.Appending;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing;

namespace ResumableUploads.UnitTests.Engine.Appending;

/// <summary>A request starts an upload over, and the store hangs.</summary>
public class HangingReplacementTests
{
    private static readonly TimeSpan Grace = TestSettings.Default.AppendGracePeriod;

    [Theory]
    [InlineData(1500L)]
    [InlineData(null)]
    public async Task Request_ends_although_the_removal_of_its_temporary_upload_hangs(long? length)
    {
        var time = new FakeTimeProvider();
        using var memory = new MemoryUploadStore(timeProvider: time);
        var store = new HangingStore(memory);
        await using var engine = new TestEngine(store, time);
        Assert.Equal(1000, (await engine.AppendAsync(0, new byte[1000], 1500)).Offset);
        using var client = new CancellationTokenSource();
        var command = new AppendCommand
        {
            Key = TestEngine.Key,
            Offset = 0,
            Body = PipeReader.Create(new ReadOnlySequence<byte>(new byte[300])),
            BodyLength = null,
            UploadLength = length,
            CompletionRule = CompletionRule.AtLength,
            RestartAtOffsetZero = true,
            CreateIfMissing = new CreateCommand("test", "name", null),
        };

        store.Hangs = true;
        Task<UploadResult> append = engine.Engine.AppendAsync(command, engine.Callbacks, client.Token).AsTask();
        await store.AppendCalled.Task;
        await client.CancelAsync();
        await Eventually.TrueAsync(() => append.IsCompleted, "the request ends", () => time.Advance(Grace));
        Assert.Equal((UploadResultKind.StorageFailed, 1000L), ((await append).Kind, (await append).Offset));
        Assert.True(store.GetCalled);

        // The lock of the upload was released.
        store.Hangs = false;
        Assert.Equal(1500, (await engine.AppendAsync(1000, new byte[500], 1500)).Offset);
    }

    /// <summary>A store whose calls for uploads under a temporary key hang, except for their creation.</summary>
    private sealed class HangingStore(IUploadStore store) : DelegatingUploadStore(store)
    {
        private volatile bool _hangs;
        private volatile bool _getCalled;

        public bool Hangs { get => _hangs; set => _hangs = value; }

        public bool GetCalled => _getCalled;

        public TaskCompletionSource AppendCalled { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override T? GetCapability<T>() where T : class => this as T ?? InnerStore.GetCapability<T>();

        public override async ValueTask<AppendResult> AppendAsync(
            UploadKey key, long offset, UploadContent content, AppendMode mode, CancellationToken cancellationToken)
        {
            if (Hangs)
            {
                await content.Reader.CopyToAsync(Stream.Null, CancellationToken.None);
                AppendCalled.TrySetResult();
            }

            await HangAsync(key, cancellationToken);
            return await base.AppendAsync(key, offset, content, mode, cancellationToken);
        }

        public override async ValueTask<UploadInfo?> GetAsync(UploadKey key, CancellationToken cancellationToken)
        {
            _getCalled |= UploadReplacement.IsTemporary(key);
            await HangAsync(key, cancellationToken);
            return await base.GetAsync(key, cancellationToken);
        }

        private Task HangAsync(UploadKey key, CancellationToken cancellationToken) =>
            Hangs && UploadReplacement.IsTemporary(key) ? Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken) : Task.CompletedTask;
    }
}
