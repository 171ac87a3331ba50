using System.Buffers;
using System.IO.Pipelines;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Stores.Memory;

namespace ResumableUploads.UnitTests.Engine.Concatenation;

public class RestartedConcatenationTests
{
    private static readonly UploadKey Part = new("owner", "part");

    /// <summary>The index of pending concatenations is in memory, and the first sweep builds it again.</summary>
    [Fact]
    public async Task Last_part_completes_the_concatenation_after_a_restart_and_a_sweep()
    {
        var time = new FakeTimeProvider();
        var store = new MemoryUploadStore(timeProvider: time);
        await using (var first = new TestEngine(store, time))
        {
            await SendAsync(first, Part, [1], new ConcatenationInfo("partial", null));
            UploadResult final = await SendAsync(first, TestEngine.Key, [], new ConcatenationInfo("final;part", [Part.Id]));
            Assert.Equal(UploadResultKind.Appended, final.Kind);
        }

        await using var next = new TestEngine(store, time);
        await next.VisitAsync();
        await SendAsync(next, Part, [2], new ConcatenationInfo("partial", null), offset: 1);
        UploadInfo info = (await next.GetAsync())!;
        Assert.Equal((UploadState.Completed, 2), (info.State, info.Offset));
        Assert.Null(await store.GetAsync(Part, default));
    }

    private static Task<UploadResult> SendAsync(TestEngine engine, UploadKey key, byte[] bytes, ConcatenationInfo concatenation, long offset = 0) =>
        engine.Engine.AppendAsync(
            new AppendCommand
            {
                Key = key,
                Offset = offset,
                Body = PipeReader.Create(new ReadOnlySequence<byte>(bytes)),
                BodyLength = bytes.Length,
                UploadLength = concatenation.IsPart ? 2 : null,
                CompletionRule = CompletionRule.AtLength,
                CreateIfMissing = new CreateCommand("test", null, null) { Concatenation = concatenation },
            },
            engine.Callbacks,
            default).AsTask();
}
