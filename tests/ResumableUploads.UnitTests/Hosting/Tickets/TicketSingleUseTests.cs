using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Hosting.Tickets;

/// <summary>A ticket is valid for one upload, however that upload ends.</summary>
public class TicketSingleUseTests
{
    private static readonly byte[] Content = "hello"u8.ToArray();

    public static TheoryData<string, bool> StartOver =>
        [.. from protocol in ProtocolClient.Protocols from startsOver in new[] { false, true } select (protocol.Data, startsOver)];

    [Theory]
    [MemberData(nameof(StartOver))]
    public async Task Ticket_of_a_completed_upload_is_used(string protocol, bool startsOver)
    {
        await using TicketApp app = await TicketApp.StartAsync(TusApp.Mapped, options =>
        {
            options.FileId.RestartOnZero = startsOver;
            options.Handler.RepeatBehavior = startsOver ? RepeatBehavior.StartOver : RepeatBehavior.ReplayResponse;
        });
        UploadTicket ticket = app.CreateTicket();
        string url = await app.Client.BeginAsync(protocol, ticket.Url, "hel"u8.ToArray(), 5);
        using HttpResponseMessage finished = await app.Client.FinishAsync(protocol, url, 3, "lo"u8.ToArray());
        foreach (string other in (string[])[ProtocolClient.FileId, ProtocolClient.Tus, ProtocolClient.Ietf])
        {
            using HttpResponseMessage second = await app.Client.SendFirstAsync(other, ticket.Url, "HELL"u8.ToArray(), 5);
            string problem = await second.Content.ReadAsStringAsync();

            // With the same file id, it is a repetition of the upload.
            Assert.Contains(protocol == other && other == ProtocolClient.FileId ? "upload-complete" : "ticket-used", problem, StringComparison.Ordinal);
        }

        await SendOtherFileAsync(app, ticket.Url, 0).AssertProblemAsync(403, "ticket-used");
        Assert.Equal("hello", Assert.Single(app.Received).Content);
    }

    [Theory]
    [InlineData(ProtocolClient.FileId, false)]
    [InlineData(ProtocolClient.Tus, false)]
    [InlineData(ProtocolClient.Ietf, false)]
    [InlineData(ProtocolClient.FileId, true)]
    [InlineData(ProtocolClient.Tus, true)]
    [InlineData(ProtocolClient.Ietf, true)]
    public async Task Ticket_of_a_deleted_upload_is_used(string protocol, bool isCompleted)
    {
        await using TicketApp app = await TicketApp.StartAsync(TusApp.Mapped);
        UploadTicket ticket = app.CreateTicket();
        string url = await app.Client.BeginAsync(protocol, ticket.Url, isCompleted ? Content : "hel"u8.ToArray(), 5);
        Assert.Equal(204, await DeleteAsync(app, protocol, url));
        Assert.Contains(await DeleteAsync(app, protocol, url), new[] { 204, 404 });
        Assert.Equal(403, (await app.Client.GetOffsetAsync(protocol, url)).Status);
        await AssertUsedAsync(app, ticket.Url);

        app.Time.Advance(TimeSpan.FromMinutes(14));
        await AssertUsedAsync(app, ticket.Url);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Ticket_of_an_upload_that_an_operator_cancels_is_used(bool isCompleted)
    {
        await using TicketApp app = await TicketApp.StartAsync(TusApp.Mapped);
        IUploadManager manager = app.App.Services.GetRequiredService<IUploadManager>();
        UploadTicket ticket = app.CreateTicket();
        await app.Client.BeginAsync(ProtocolClient.Tus, ticket.Url, isCompleted ? Content : "hel"u8.ToArray(), 5);
        ManagedUpload upload = Assert.Single((await manager.ListAsync(new UploadListQuery())).Uploads);
        Assert.Equal(UploadActionStatus.Succeeded, await manager.CancelAsync(upload.Key, UploadActionCondition.Unchanged(upload)));
        await AssertUsedAsync(app, ticket.Url);
        Assert.Empty((await manager.ListAsync(new UploadListQuery())).Uploads);
    }

    [Fact]
    public async Task Ticket_of_an_expired_upload_is_used()
    {
        await using TicketApp app = await TicketApp.StartAsync(TusApp.Mapped, static options => options.Expiration = TimeSpan.FromMinutes(1));
        UploadTicket ticket = app.CreateTicket();
        string url = await app.Client.BeginAsync(ProtocolClient.Tus, ticket.Url, "hel"u8.ToArray(), 5);
        app.Time.Advance(TimeSpan.FromMinutes(2));
        await AssertUsedAsync(app, ticket.Url, url);
    }

    [Theory]
    [InlineData(ProtocolClient.FileId)]
    [InlineData(ProtocolClient.Tus)]
    [InlineData(ProtocolClient.Ietf)]
    public async Task Refused_creation_does_not_use_the_ticket(string protocol)
    {
        bool isRejected = true;
        await using TicketApp app = await TicketApp.StartAsync(TusApp.Mapped, options => options.OnCreating = (upload, _) =>
        {
            Assert.Equal("ann", upload.Ticket?.Owner);
            if (isRejected)
            {
                upload.Reject(422, "Not now.");
            }

            return Task.CompletedTask;
        });
        UploadTicket ticket = app.CreateTicket();
        await app.Client.SendFirstAsync(protocol, ticket.Url, Content, 5).AssertProblemAsync(422, "refused");
        isRejected = false;
        (string, string) digest = protocol == ProtocolClient.Tus ? ("Upload-Checksum", "sha1 AAAAAAAAAAAAAAAAAAAAAAAAAAA=") : ("Content-Digest", "sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:");
        using HttpResponseMessage mismatch = await app.Client.SendFirstAsync(protocol, ticket.Url, "hel"u8.ToArray(), 5, digest);
        Assert.InRange((int)mismatch.StatusCode, 400, 460);
        string url = await app.Client.BeginAsync(protocol, ticket.Url, "hel"u8.ToArray(), 5);
        using HttpResponseMessage finished = await app.Client.FinishAsync(protocol, url, 3, "lo"u8.ToArray());
        Assert.Equal("hello", Assert.Single(app.Received).Content);
    }

    [Fact]
    public async Task Begun_upload_is_not_continued_with_another_file_or_protocol()
    {
        await using TicketApp app = await TicketApp.StartAsync(TusApp.Mapped, static options => options.FileId.RestartOnZero = true);
        string fileId = app.CreateTicket().Url;
        await app.Client.BeginAsync(ProtocolClient.FileId, fileId, "hel"u8.ToArray(), 5);
        await SendOtherFileAsync(app, fileId, 3).AssertProblemAsync(403, "ticket-used");
        await app.Client.SendFirstAsync(ProtocolClient.Tus, fileId, "hel"u8.ToArray(), 5).AssertProblemAsync(403, "ticket-used");
        await app.Client.SendFirstAsync(ProtocolClient.Ietf, fileId, "hel"u8.ToArray(), 5).AssertProblemAsync(403, "ticket-used");
        using HttpResponseMessage restart = await app.Client.SendFirstAsync(ProtocolClient.FileId, fileId, "HEL"u8.ToArray(), 5);
        Assert.Equal((409, "3"), ((int)restart.StatusCode, restart.Header("X-Start-Byte")));

        string tus = app.CreateTicket().Url;
        await app.Client.BeginAsync(ProtocolClient.Tus, tus, "hel"u8.ToArray(), 5);
        await app.Client.TusAsync("POST", tus, null, ("Upload-Length", "6")).AssertProblemAsync(403, "ticket-used");
        await app.Client.SendFileIdAsync("POST", tus, "lo"u8.ToArray(), ("X-Start-Byte", "3")).AssertProblemAsync(403, "ticket-used");
        Assert.Empty(app.Received);
    }

    [Theory]
    [InlineData(ProtocolClient.Tus, 201)]
    [InlineData(ProtocolClient.Ietf, 409)]
    public async Task Repeated_creation_gets_the_url_of_the_unfinished_upload(string protocol, int status)
    {
        await using TicketApp app = await TicketApp.StartAsync(TusApp.Mapped);
        UploadTicket ticket = app.CreateTicket();
        string url = await app.Client.BeginAsync(protocol, ticket.Url, "hel"u8.ToArray(), 5);
        using HttpResponseMessage repeated = await app.Client.SendFirstAsync(protocol, ticket.Url, "hel"u8.ToArray(), 5);
        Assert.Equal((status, url, "3"), ((int)repeated.StatusCode, repeated.Header("Location"), repeated.Header("Upload-Offset")));
    }

    /// <summary>Two nodes: one removes the completed upload of the other after that one has looked for the marker of a used ticket.</summary>
    [Fact]
    public async Task Ticket_used_on_another_node_during_a_creation_is_used()
    {
        var shared = new MemoryUploadStore(timeProvider: new FakeTimeProvider(TicketApp.StartTime));
        var hooked = new CreationHook(shared);
        await using TicketApp first = await TicketApp.StartAsync(TusApp.Mapped, options => options.Store = shared);
        await using TicketApp second = await TicketApp.StartAsync(
            TusApp.Mapped,
            options => options.Store = hooked,
            builder => builder.Services.AddSingleton(first.App.Services.GetRequiredService<IDataProtectionProvider>()));
        UploadTicket ticket = first.CreateTicket();
        bool isUsed = false;
        hooked.BeforeFirst = async () =>
        {
            isUsed = true;
            string url = await first.Client.BeginAsync(ProtocolClient.Tus, ticket.Url, Content, 5);
            Assert.Equal(204, await DeleteAsync(first, ProtocolClient.Tus, url));
        };
        await second.Client.SendFirstAsync(ProtocolClient.Tus, ticket.Url, Content, 5).AssertProblemAsync(403, "ticket-used");
        Assert.True(isUsed);
        Assert.Empty(second.Received);
        Assert.Single(first.Received);
    }

    private static async Task AssertUsedAsync(TicketApp app, string ticketUrl, string? uploadUrl = null)
    {
        int received = app.Received.Count;
        foreach (string protocol in (string[])[ProtocolClient.FileId, ProtocolClient.Tus, ProtocolClient.Ietf])
        {
            await app.Client.SendFirstAsync(protocol, ticketUrl, Content, 5).AssertProblemAsync(403, "ticket-used");
        }

        if (uploadUrl is not null)
        {
            await app.Client.FinishAsync(ProtocolClient.Tus, uploadUrl, 3, "lo"u8.ToArray()).AssertProblemAsync(403, "ticket-used");
        }

        Assert.Equal(received, app.Received.Count);
    }

    /// <summary>Sends a chunk of a file with another id than that of <see cref="ProtocolClient"/>.</summary>
    private static Task<HttpResponseMessage> SendOtherFileAsync(TicketApp app, string url, long offset) =>
        app.Client.AppendAsync("g", offset, new ByteArrayContent("lo"u8.ToArray()), path: url);

    private static async Task<int> DeleteAsync(TicketApp app, string protocol, string url)
    {
        using HttpResponseMessage response = protocol switch
        {
            ProtocolClient.FileId => await app.Client.SendFileIdAsync("DELETE", url, null),
            ProtocolClient.Tus => await app.Client.TusAsync("DELETE", url),
            _ => await app.Client.IetfAsync("DELETE", url, IetfClient.Newest),
        };
        return (int)response.StatusCode;
    }

    /// <summary>A store that runs an action before its first creation.</summary>
    private sealed class CreationHook(IUploadStore store) : DelegatingUploadStore(store)
    {
        public Func<Task>? BeforeFirst { get; set; }

        public override async ValueTask<CreateResult> CreateAsync(UploadKey key, UploadRecord record, CancellationToken cancellationToken)
        {
            if (BeforeFirst is { } action)
            {
                BeforeFirst = null;
                await action();
            }

            return await base.CreateAsync(key, record, cancellationToken);
        }
    }
}
