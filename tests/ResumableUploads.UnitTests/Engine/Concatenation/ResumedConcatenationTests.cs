using System.Security.Cryptography;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Stores.Memory;
using ResumableUploads.TestKit.Support;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Engine.Concatenation;

/// <summary>Concatenations that a crash has interrupted at any offset. The bytes must be those of the parts.</summary>
public sealed class ResumedConcatenationTests : IDisposable
{
    private static readonly (string, string) Partial = ("Upload-Concat", "partial");
    private readonly string _directory = Directory.CreateTempSubdirectory("uploads-test-").FullName;

    public static TheoryData<bool, int> Offsets => [.. from inMemory in new[] { false, true } from offset in new[] { 1, 99, 100, 101, 150, 299, 300 } select (inMemory, offset)];

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [MemberData(nameof(Offsets))]
    public async Task Concatenation_that_was_interrupted_inside_a_part_has_the_bytes_of_its_parts(bool inMemory, int offset)
    {
        IUploadStore inner = inMemory ? new MemoryUploadStore() : new FileSystemUploadStore(new FileSystemUploadStoreOptions { Directory = _directory, Durability = Durability.ProcessCrash });
        await using TusApp app = await TusApp.StartAsync(TusApp.ReadyMade, options => options.Store = new HookedStore(inner) { IsUnswept = true });
        byte[] content = RandomNumberGenerator.GetBytes(300);
        var parts = new List<string>();
        for (int i = 0; i < 3; i++)
        {
            parts.Add(await app.Client.CreateAsync(TusApp.Url, 100, Partial));
            await app.Client.AppendChunkAsync(parts[i], 0, content[(i * 100)..((i + 1) * 100 - (i == 2 ? 1 : 0))]).StatusOfAsync();
        }

        using HttpResponseMessage created = await app.Client.TusAsync("POST", TusApp.Url, null, ("Upload-Concat", $"final;{string.Join(' ', parts)}"));
        UploadInfo final = (await inner.ListAsync(new UploadQuery(), default).ToListAsync()).Single(static info => info.Length == 300);

        // As a process that was killed during the copy would have left it.
        AppendResult copied = await inner.AppendAsync(final.Key, 0, RecordingContent.FromBytes(content.AsSpan(0, offset)), AppendMode.KeepPartial, default);
        Assert.Equal(offset, copied.Offset);
        Assert.Equal(204, await app.Client.AppendChunkAsync(parts[2], 99, content[299..]).StatusOfAsync());
        Assert.Equal(300, await app.Client.OffsetAsync(created.Header("Location")!));
        Assert.Equal(content, Assert.Single(app.Seen).Content);
    }

    [Fact]
    public async Task Concatenation_whose_part_was_replaced_after_its_length_was_recorded_fails()
    {
        var store = new HookedStore(new MemoryUploadStore());
        await using var engine = new TestEngine(store, TimeProvider.System);
        int runs = 0;
        engine.Callbacks.OnCompleted = (_, _) =>
        {
            runs++;
            return Task.FromResult(new HandlerResult(HandlerResultKind.Final, null));
        };
        await engine.AppendToPartAsync("a", 0, [1, 2, 3], 3);
        store.BeforeAppend = static key => key == TestEngine.Key ? throw new UploadStoreException(StoreFailure.Unavailable, "Injected failure.") : Task.CompletedTask;
        await engine.ConcatenateAsync("a");
        Assert.Equal([3L], EngineRecord.From((await engine.GetAsync())!).Concatenation!.PartLengths);
        store.BeforeAppend = null;
        await store.DeleteAsync(new UploadKey(TestEngine.Key.Owner, "a"), null, default);

        Assert.Equal(UploadResultKind.Appended, (await engine.AppendToPartAsync("a", 0, [4, 5, 6, 7], 4)).Kind);
        await engine.VisitAsync();
        Assert.Null(await engine.GetAsync());
        Assert.Equal(0, runs);
    }
}
