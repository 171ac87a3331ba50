using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Engine.Appending;

/// <summary>Two processes, of which one announces the length of an upload while the other appends to it.</summary>
public class AnnouncedLengthTests
{
    [Fact]
    public async Task Append_checked_before_the_length_was_announced_changes_nothing()
    {
        using var memory = new MemoryUploadStore();
        var store = new HookedStore(memory);
        await using var first = new TestEngine(store, TimeProvider.System);
        await using var second = new TestEngine(memory, TimeProvider.System);
        Assert.Equal(2, (await AppendAsync(second, 0, 2, null)).Offset);
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        store.BeforeAppend = _ =>
        {
            entered.TrySetResult();
            return release.Task;
        };
        Task<UploadResult> append = AppendAsync(first, 2, 50, null);
        await Eventually.WithinAsync(entered.Task);
        Assert.Equal(UploadResultKind.Appended, (await AppendAsync(second, 2, 0, 3)).Kind);
        release.SetResult();
        Assert.Equal(UploadResultKind.Busy, (await Eventually.WithinAsync(append)).Kind);
        UploadInfo info = (await second.GetAsync())!;
        Assert.Equal((2L, 3L), (info.Offset, info.Length));
        Assert.Equal(UploadResultKind.Completed, (await AppendAsync(first, 2, 1, 3)).Kind);
    }

    private static Task<UploadResult> AppendAsync(TestEngine engine, long offset, int count, long? length) =>
        engine.Engine.AppendAsync(TestEngine.CreateCommand(offset, new byte[count], length), engine.Callbacks, default).AsTask();
}
