using System.Buffers;
using System.IO.Pipelines;
using System.Security.Cryptography;
using ResumableUploads.Engine;
using ResumableUploads.Engine.Digests;
using ResumableUploads.Engine.Expiration;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing;

namespace ResumableUploads.UnitTests.Engine.Appending;

/// <summary>Requests that meet a running append of the same upload, or an upload that is completed.</summary>
public sealed class RunningAppendTests : IAsyncLifetime
{
    private const int Sent = 3000;
    private readonly TestEngine _engine = new(new MemoryUploadStore(), TimeProvider.System);
    private readonly Pipe _body = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _body.Writer.CompleteAsync();
        await _engine.DisposeAsync();
    }

    [Fact]
    public async Task Start_over_preempts_a_running_append()
    {
        Task<UploadResult> running = await StartAsync();
        UploadResult result = await Eventually.WithinAsync(SendAsync(0, new byte[10], isStartOver: true, matches: true));
        Assert.Equal((UploadResultKind.Appended, 10), (result.Kind, result.Offset));
        Assert.Equal(UploadResultKind.Preempted, (await Eventually.WithinAsync(running)).Kind);
        Assert.Equal(10, (await _engine.GetAsync())!.Offset);
    }

    [Theory]
    [InlineData("the same size")]
    [InlineData("another size")]
    [InlineData("another digest")]
    [InlineData("another coding")]
    public async Task Start_over_with_other_content_preempts_a_running_append(string difference)
    {
        byte[] file = new byte[difference == "another size" ? 10 : 2 * Sent];
        Task<UploadResult> running = await StartAsync(new Digest(DigestAlgorithm.Sha256, new byte[32]));
        AppendCommand command = CreateStartOver(file) with
        {
            ReprDigest = difference == "another digest" ? new Digest(DigestAlgorithm.Sha256, SHA256.HashData(file)) : null,
            VerifyReprDigestBeforeCommit = true,
            ContentCoding = difference == "another coding" ? "gzip" : null,
        };
        UploadResult result = await Eventually.WithinAsync(_engine.Engine.AppendAsync(command, _engine.Callbacks, default).AsTask());
        Assert.Equal((UploadResultKind.Completed, file.Length), (result.Kind, result.Offset));
        Assert.Equal(UploadResultKind.Preempted, (await Eventually.WithinAsync(running)).Kind);
    }

    [Theory]
    [InlineData(3, null, false)]
    [InlineData(2, "gzip", false)]
    [InlineData(2, null, true)]
    public async Task Start_over_replaces_an_upload_without_bytes_that_it_does_not_fit(int size, string? coding, bool hasDigest)
    {
        byte[] file = new byte[size];
        await CreateEmptyAsync(new byte[2]);
        UploadResult result = await _engine.Engine.AppendAsync(
            CreateStartOver(file) with
            {
                ContentCoding = coding,
                ReprDigest = hasDigest ? new Digest(DigestAlgorithm.Sha512, SHA512.HashData(file)) : null,
                VerifyReprDigestBeforeCommit = true,
            },
            _engine.Callbacks,
            default);
        Assert.Equal((UploadResultKind.Completed, size), (result.Kind, result.Offset));
    }

    [Fact]
    public async Task Start_over_continues_an_upload_without_bytes_that_it_fits()
    {
        await CreateEmptyAsync([1, 2]);

        // The digest that the creation announced applies.
        UploadResult result = await _engine.Engine.AppendAsync(CreateStartOver([3, 4]), _engine.Callbacks, default);
        Assert.Equal(UploadResultKind.ReprDigestMismatch, result.Kind);
    }

    [Theory]
    [InlineData(Sent, false)]
    [InlineData(0, true)]
    public async Task Different_request_does_not_preempt_a_running_append(int offset, bool isStartOver)
    {
        Task<UploadResult> running = await StartAsync();
        UploadResult result = await Eventually.WithinAsync(SendAsync(offset, new byte[10], isStartOver, matches: false));
        Assert.Equal(UploadResultKind.DifferentRequest, result.Kind);
        await _body.Writer.WriteAsync(new byte[Sent]);
        await _body.Writer.CompleteAsync();
        result = await Eventually.WithinAsync(running);
        Assert.Equal((UploadResultKind.Completed, 2 * Sent), (result.Kind, result.Offset));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Status_and_cancellation_of_a_different_request_do_not_preempt_a_running_append(bool isStatus)
    {
        Task<UploadResult> running = await StartAsync();
        if (isStatus)
        {
            Assert.Null(await _engine.Engine.GetStatusAsync(TestEngine.Key, isClientGeneratedKey: true, static _ => false, default));
        }
        else
        {
            UploadResult refused = await _engine.Engine.CancelAsync(TestEngine.Key, new CancelCondition(static _ => false), default);
            Assert.Equal(UploadResultKind.DifferentRequest, refused.Kind);
        }

        await _body.Writer.WriteAsync(new byte[Sent]);
        await _body.Writer.CompleteAsync();
        UploadResult result = await Eventually.WithinAsync(running);
        Assert.Equal((UploadResultKind.Completed, 2 * Sent), (result.Kind, result.Offset));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Repeat_with_another_length_is_not_replayed(bool mayCreate)
    {
        await _engine.AppendAsync(0, new byte[2], 2);
        UploadResult result = await _engine.Engine.AppendAsync(
            Command(2, PipeReader.Create(ReadOnlySequence<byte>.Empty), 0) with
            {
                UploadLength = 3,
                CreateIfMissing = mayCreate ? new CreateCommand("test", "name", null) : null,
            },
            _engine.Callbacks,
            default);
        Assert.Equal(mayCreate ? UploadResultKind.DifferentContent : UploadResultKind.LengthConflict, result.Kind);
        Assert.Equal(UploadResultKind.Replayed, (await _engine.AppendAsync(2, [], 2)).Kind);
    }

    private async Task CreateEmptyAsync(byte[] announced)
    {
        UploadResult created = await _engine.Engine.AppendAsync(
            TestEngine.CreateCommand(0, [], announced.Length) with { ReprDigest = new Digest(DigestAlgorithm.Sha256, SHA256.HashData(announced)) },
            _engine.Callbacks,
            default);
        Assert.Equal((UploadResultKind.Appended, 0), (created.Kind, created.Offset));
    }

    private static AppendCommand CreateStartOver(byte[] file) => TestEngine.CreateCommand(0, file, file.Length) with { RestartAtOffsetZero = true };

    /// <summary>Starts an append that has stored bytes and waits for more.</summary>
    private async Task<Task<UploadResult>> StartAsync(Digest? digest = null)
    {
        Task<UploadResult> running = _engine.Engine.AppendAsync(
            Command(0, _body.Reader, null) with { ReprDigest = digest, CreateIfMissing = new CreateCommand("test", "name", null, new StoredRequest { Method = "PUT", Path = "/" }) },
            _engine.Callbacks,
            default).AsTask();
        await _body.Writer.WriteAsync(new byte[Sent]);
        await Eventually.TrueAsync(async () => await _engine.GetAsync() is { Offset: Sent }, "the first bytes are stored");
        return running;
    }

    private Task<UploadResult> SendAsync(long offset, byte[] bytes, bool isStartOver, bool matches) => _engine.Engine.AppendAsync(
        Command(offset, PipeReader.Create(new ReadOnlySequence<byte>(bytes)), bytes.Length) with
        {
            RestartAtOffsetZero = isStartOver,
            MatchesCreationRequest = _ => matches,
            CreateIfMissing = new CreateCommand("test", "name", null),
        },
        _engine.Callbacks,
        default).AsTask();

    private static AppendCommand Command(long offset, PipeReader body, long? bodyLength) => new()
    {
        Key = TestEngine.Key,
        Offset = offset,
        Body = body,
        BodyLength = bodyLength,
        UploadLength = 2 * Sent,
        CompletionRule = CompletionRule.AtLength,
    };
}
