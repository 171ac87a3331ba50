using System.Buffers;
using System.IO.Pipelines;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing;

namespace ResumableUploads.UnitTests.Engine.Appending;

/// <summary>A request starts an upload over, and fails or is interrupted while its content is stored under a temporary key.</summary>
public class FailedReplacementTests
{
    private const int OldOffset = 1000;

    private static readonly TimeSpan TestTimeout = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData(300)]
    [InlineData(null)]
    public async Task Temporary_key_that_exists_keeps_the_old_upload(int? bodyLength)
    {
        var store = new AmbiguousStore(new MemoryUploadStore());
        await using var engine = new TestEngine(store, TimeProvider.System);
        await AppendOldAsync(engine);
        store.IsAmbiguous = true;

        UploadResult result = await StartOverAsync(engine, new byte[300], bodyLength);

        Assert.Equal(UploadResultKind.Busy, result.Kind);
        Assert.Equal(OldOffset, (await engine.GetAsync())?.Offset);
    }

    [Fact]
    public async Task Full_store_during_a_replacement_reports_the_offset_of_the_old_upload()
    {
        await using var engine = new TestEngine(new MemoryUploadStore(64 * 1024), TimeProvider.System);
        await AppendOldAsync(engine);

        UploadResult result = await StartOverAsync(engine, new byte[100_000], bodyLength: null);

        Assert.Equal((UploadResultKind.StorageFull, OldOffset), (result.Kind, result.Offset));
        Assert.Equal(OldOffset, (await engine.GetAsync())?.Offset);
    }

    [Fact]
    public async Task Rejected_replacement_reports_no_progress()
    {
        await using var engine = new TestEngine(new MemoryUploadStore(), TimeProvider.System, TestSettings.Default with { MaxUploadSize = 2000 });
        await AppendOldAsync(engine);
        var offsets = new List<long>();
        engine.Callbacks.OnProgress = (offset, _) =>
        {
            offsets.Add(offset);
            return Task.CompletedTask;
        };

        await StartOverAsync(engine, new byte[3000], bodyLength: null);
        Assert.Empty(offsets);

        await StartOverAsync(engine, new byte[300], bodyLength: null);
        Assert.Equal([300], offsets);
    }

    [Fact]
    public async Task Append_does_not_preempt_a_replacement_that_is_not_accepted_yet()
    {
        await using var engine = new TestEngine(new MemoryUploadStore(), TimeProvider.System);
        await AppendOldAsync(engine);
        var body = new Pipe();
        Task<UploadResult> replacement = StartOverAsync(engine, body.Reader, bodyLength: null);
        await body.Writer.WriteAsync(new byte[3000]);
        await Eventually.TrueAsync(
            async () => await engine.Store.ListAsync(new UploadQuery(), default).AnyAsync(static info => info.Offset == 3000),
            "the new bytes are stored under the temporary key");

        // The replacement would end at another offset, which is not durable under the key of the upload.
        Assert.Equal(UploadResultKind.Busy, (await engine.AppendAsync(OldOffset, new byte[500], 1500)).Kind);
        await body.Writer.CompleteAsync();
        UploadResult replaced = await replacement.WaitAsync(TestTimeout);
        Assert.Equal((UploadResultKind.Appended, 3000L), (replaced.Kind, replaced.Offset));
    }

    private static async Task AppendOldAsync(TestEngine engine) =>
        Assert.Equal(OldOffset, (await engine.AppendAsync(0, new byte[OldOffset], 1500)).Offset);

    private static Task<UploadResult> StartOverAsync(TestEngine engine, byte[] bytes, long? bodyLength) =>
        StartOverAsync(engine, PipeReader.Create(new ReadOnlySequence<byte>(bytes)), bodyLength);

    private static Task<UploadResult> StartOverAsync(TestEngine engine, PipeReader body, long? bodyLength) => engine.Engine.AppendAsync(
        new AppendCommand
        {
            Key = TestEngine.Key,
            Offset = 0,
            Body = body,
            BodyLength = bodyLength,
            CompletionRule = CompletionRule.AtLength,
            RestartAtOffsetZero = true,
            CreateIfMissing = new CreateCommand("test", "name", null),
        },
        engine.Callbacks,
        default).AsTask();

    /// <summary>A network store whose creation timed out after it was executed, so that its retry found the upload.</summary>
    private sealed class AmbiguousStore(IUploadStore inner) : DelegatingUploadStore(inner)
    {
        public bool IsAmbiguous { get; set; }

        public override async ValueTask<CreateResult> CreateAsync(UploadKey key, UploadRecord record, CancellationToken cancellationToken)
        {
            CreateResult result = await base.CreateAsync(key, record, cancellationToken);
            return IsAmbiguous ? new CreateResult(CreateStatus.AlreadyExists, null) : result;
        }

        public override T? GetCapability<T>() where T : class => this as T ?? InnerStore.GetCapability<T>();
    }
}
