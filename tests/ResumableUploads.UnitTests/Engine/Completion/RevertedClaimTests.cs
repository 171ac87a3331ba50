using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Engine.Completion;

/// <summary>A power loss while a handler runs, in the file-system store.</summary>
public sealed class RevertedClaimTests : FileSystemStoreTest
{
    private static readonly HandlerResult Final = new(HandlerResultKind.Final, "{}"u8.ToArray());
    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _release = new(TaskCreationOptions.RunContinuationsAsynchronously);

    [Fact]
    public async Task Sweep_after_the_restart_runs_the_handler_again()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Other systems cannot exchange the names of two files.");
        await using var engine = new TestEngine(NewStore(), Time);
        engine.Callbacks.OnCompleted = async (_, _) =>
        {
            _started.SetResult();
            await _release.Task;
            return Final;
        };
        await engine.AppendAsync(0, [1, 2], 3);
        Task<UploadResult> append = engine.AppendAsync(2, [3], 3);
        await Eventually.WithinAsync(_started.Task);
        string restored = CopyWithoutClaim();
        _release.SetResult();
        Assert.Equal(UploadResultKind.Completed, (await Eventually.WithinAsync(append)).Kind);

        FileSystemUploadStore store = NewStore(files: new FaultyFiles { Boot = "11111111-1111-1111-1111-111111111111" }, directory: restored);
        await using var restarted = new TestEngine(store, Time);
        Assert.Equal((UploadState.Receiving, 3L), ((await restarted.GetAsync())!.State, (await restarted.GetAsync())!.Offset));
        int runs = 0;
        restarted.Callbacks.OnCompleted = (record, _) =>
        {
            runs++;
            Assert.Equal(1, record.Handler!.TotalRuns);
            return Task.FromResult(Final);
        };
        Time.Advance(TestSettings.Default.SweepInterval);
        await restarted.VisitAsync();
        Assert.Equal((1, UploadState.Completed), (runs, (await restarted.GetAsync())!.State));
        Assert.Equal(UploadResultKind.Replayed, (await restarted.AppendAsync(3, [], 3)).Kind);
    }

    /// <summary>Copies the directory of the store as a power loss leaves it. The temporary name is still that of the record before the claim.</summary>
    private string CopyWithoutClaim()
    {
        string copy = Path.Combine(Root, "restored");
        foreach (string file in Directory.EnumerateFiles(StoreRoot, "*", SearchOption.AllDirectories))
        {
            string target = Path.Combine(copy, Path.GetRelativePath(StoreRoot, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
            File.SetLastWriteTimeUtc(target, File.GetLastWriteTimeUtc(file));
        }

        string record = Directory.EnumerateFiles(copy, "record.json", SearchOption.AllDirectories).Single();
        File.Move(record + ".tmp", record, overwrite: true);
        return copy;
    }
}
