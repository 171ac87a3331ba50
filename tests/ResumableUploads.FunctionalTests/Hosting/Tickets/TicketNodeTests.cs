using System.Globalization;
using ResumableUploads.Abstractions;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Hosting.Tickets;

/// <summary>A ticket at two nodes that share a store and the keys of data protection.</summary>
public abstract class TicketNodeTests : IDisposable
{
    /// <summary>The attempts of each client to finish after a race. The first client that may continue needs two.</summary>
    private const int MaxAttempts = 5;

    private static readonly byte[] Content = "hello"u8.ToArray();

    protected TicketNodeTests() => Directory.CreateDirectory(Shared.Root);

    /// <summary>Gets the directory with the keys.</summary>
    protected UploadDirectory Shared { get; } = new();

    protected virtual int Rounds => 5;

    public virtual void Dispose()
    {
        Shared.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Ticket_is_used_once_by_concurrent_clients_of_two_nodes()
    {
        await using TicketApp first = await StartNodeAsync();
        await using TicketApp second = await StartNodeAsync();
        for (int i = 0; i < Rounds; i++)
        {
            UploadTicket ticket = (i % 2 == 0 ? first : second).CreateTicket();
            Func<Task<HttpResponseMessage>>[] clients =
            [
                .. from node in new[] { first, second }
                   from send in new Func<HttpClient, Task<HttpResponseMessage>>[]
                   {
                       client => client.AppendAsync("a", 0, new ByteArrayContent(Content), 5, ticket.Url),
                       client => client.AppendAsync("b", 0, new ByteArrayContent(Content), 5, ticket.Url),
                       client => client.SendFirstAsync(ProtocolClient.Tus, ticket.Url, Content, 5),
                       client => client.SendFirstAsync(ProtocolClient.Ietf, ticket.Url, Content, 5),
                   }
                   select (Func<Task<HttpResponseMessage>>)(() => send(node.Client)),
            ];
            HttpResponseMessage[] responses = await Task.WhenAll(clients.Select(static send => send()));
            Assert.DoesNotContain(responses, static response => (int)response.StatusCode == 500);
            Array.ForEach(responses, static response => response.Dispose());
            Assert.InRange(CountReceived(ticket), 0, 1);

            // After the race, one client can finish, and no other one can use the ticket again.
            for (int attempt = 0; attempt < MaxAttempts && CountReceived(ticket) == 0; attempt++)
            {
                await FinishAsync(first, ticket);
            }

            Assert.Equal(1, CountReceived(ticket));
            await FinishAsync(second, ticket);
            Assert.Equal(1, CountReceived(ticket));
        }

        int CountReceived(UploadTicket ticket) => first.Received.Concat(second.Received).Count(file => file.Ticket?.Id == ticket.Id && file.Content == "hello");
    }

    /// <summary>Lets each client continue, one after the other, at the offset that it gets.</summary>
    private static async Task FinishAsync(TicketApp node, UploadTicket ticket)
    {
        foreach (string fileId in (string[])["a", "b"])
        {
            using HttpResponseMessage repeated = await node.Client.AppendAsync(fileId, 0, new ByteArrayContent(Content), 5, ticket.Url);
            if ((int)repeated.StatusCode == 409 && repeated.Header("X-Start-Byte") is { } offset)
            {
                int start = int.Parse(offset, CultureInfo.InvariantCulture);
                using HttpResponseMessage rest = await node.Client.AppendAsync(fileId, start, new ByteArrayContent(Content[start..]), 5, ticket.Url);
            }
        }

        foreach (string protocol in (string[])[ProtocolClient.Tus, ProtocolClient.Ietf])
        {
            using HttpResponseMessage repeated = await node.Client.SendFirstAsync(protocol, ticket.Url, Content, 5);
            if ((int)repeated.StatusCode is 201 or 409 && (repeated.Header("Location"), repeated.Header("Upload-Offset")) is ({ } url, { } offset))
            {
                int start = int.Parse(offset, CultureInfo.InvariantCulture);
                using HttpResponseMessage rest = await node.Client.FinishAsync(protocol, url, start, Content[start..]);
            }
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Ticket_is_used_at_another_node_and_after_a_restart(bool isDeleted)
    {
        string url;
        await using (TicketApp first = await StartNodeAsync())
        {
            url = first.CreateTicket().Url;
            string upload = await first.Client.BeginAsync(ProtocolClient.Tus, url, Content, 5);
            if (isDeleted)
            {
                using HttpResponseMessage deleted = await first.Client.TusAsync("DELETE", upload);
                Assert.Equal(204, (int)deleted.StatusCode);
            }

            await using TicketApp second = await StartNodeAsync();
            await AssertUsedAsync(second, url);
        }

        await using TicketApp restarted = await StartNodeAsync();
        await AssertUsedAsync(restarted, url);
    }

    [Theory]
    [InlineData(ProtocolClient.FileId)]
    [InlineData(ProtocolClient.Tus)]
    [InlineData(ProtocolClient.Ietf)]
    public async Task Upload_is_continued_at_another_node(string protocol)
    {
        await using TicketApp first = await StartNodeAsync();
        await using TicketApp second = await StartNodeAsync();
        string url = await first.Client.BeginAsync(protocol, first.CreateTicket().Url, "hel"u8.ToArray(), 5);
        Assert.Equal("3", (await second.Client.GetOffsetAsync(protocol, url)).Offset);
        using HttpResponseMessage finished = await second.Client.FinishAsync(protocol, url, 3, "lo"u8.ToArray());
        Assert.Equal("hello", Assert.Single(second.Received).Content);
    }

    /// <summary>Opens the store once more, as another node does.</summary>
    /// <returns>The store, or null for that of <see cref="Shared"/>.</returns>
    protected abstract ValueTask<IUploadStore?> OpenStoreAsync();

    private protected async Task<TicketApp> StartNodeAsync(string place = TusApp.Mapped)
    {
        IUploadStore? store = await OpenStoreAsync();
        return await TicketApp.StartAsync(place, options => options.Store = store ?? options.Store, onKestrel: true, directory: Shared.Root);
    }

    private static async Task AssertUsedAsync(TicketApp app, string url)
    {
        await app.Client.SendFirstAsync(ProtocolClient.FileId, url, Content, 5).AssertProblemAsync(403, "ticket-used");
        await app.Client.SendFirstAsync(ProtocolClient.Tus, url, Content, 5).AssertProblemAsync(403, "ticket-used");
        await app.Client.SendFirstAsync(ProtocolClient.Ietf, url, Content, 5).AssertProblemAsync(403, "ticket-used");
        Assert.Empty(app.Received);
    }
}
