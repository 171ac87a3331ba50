using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Hosting.Tickets;

/// <summary>A ticket at two nodes that share a directory and the keys of data protection.</summary>
public class TicketNodeTests
{
    private const int Rounds = 20;
    private static readonly byte[] Content = "hello"u8.ToArray();

    [Fact]
    public async Task Ticket_is_used_once_by_concurrent_clients_of_two_nodes()
    {
        using UploadDirectory directory = CreateDirectory();
        await using TicketApp first = await StartAsync(directory);
        await using TicketApp second = await StartAsync(directory);
        for (int i = 0; i < Rounds; i++)
        {
            string url = (i % 2 == 0 ? first : second).CreateTicket().Url;
            int before = first.Received.Count + second.Received.Count;
            Task<HttpResponseMessage>[] sending =
            [
                .. from node in new[] { first, second }
                   from send in new Func<HttpClient, Task<HttpResponseMessage>>[]
                   {
                       client => client.AppendAsync("a", 0, new ByteArrayContent(Content), 5, url),
                       client => client.AppendAsync("b", 0, new ByteArrayContent(Content), 5, url),
                       client => client.SendFirstAsync(ProtocolClient.Tus, url, Content, 5),
                       client => client.SendFirstAsync(ProtocolClient.Ietf, url, Content, 5),
                   }
                   select send(node.Client),
            ];
            HttpResponseMessage[] responses = await Task.WhenAll(sending);
            Assert.DoesNotContain(responses, static response => (int)response.StatusCode == 500);
            Assert.InRange(first.Received.Count + second.Received.Count - before, 0, 1);
            Array.ForEach(responses, static response => response.Dispose());
        }

        Assert.NotEqual(0, first.Received.Count + second.Received.Count);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Ticket_is_used_at_another_node_and_after_a_restart(bool isDeleted)
    {
        using UploadDirectory directory = CreateDirectory();
        string url;
        await using (TicketApp first = await StartAsync(directory))
        {
            url = first.CreateTicket().Url;
            string upload = await first.Client.BeginAsync(ProtocolClient.Tus, url, Content, 5);
            if (isDeleted)
            {
                using HttpResponseMessage deleted = await first.Client.TusAsync("DELETE", upload);
                Assert.Equal(204, (int)deleted.StatusCode);
            }

            await using TicketApp second = await StartAsync(directory);
            await AssertUsedAsync(second, url);
        }

        await using TicketApp restarted = await StartAsync(directory);
        await AssertUsedAsync(restarted, url);
    }

    [Theory]
    [InlineData(ProtocolClient.FileId)]
    [InlineData(ProtocolClient.Tus)]
    [InlineData(ProtocolClient.Ietf)]
    public async Task Upload_is_continued_at_another_node(string protocol)
    {
        using UploadDirectory directory = CreateDirectory();
        await using TicketApp first = await StartAsync(directory);
        await using TicketApp second = await StartAsync(directory);
        string url = await first.Client.BeginAsync(protocol, first.CreateTicket().Url, "hel"u8.ToArray(), 5);
        Assert.Equal("3", (await second.Client.GetOffsetAsync(protocol, url)).Offset);
        using HttpResponseMessage finished = await second.Client.FinishAsync(protocol, url, 3, "lo"u8.ToArray());
        Assert.Equal("hello", Assert.Single(second.Received).Content);
    }

    [Fact]
    public async Task Store_does_not_contain_the_ticket()
    {
        using UploadDirectory directory = CreateDirectory();
        await using TicketApp app = await StartAsync(directory, TusApp.Endpoint);
        UploadTicket ticket = app.CreateTicket();
        await app.Client.BeginAsync(ProtocolClient.Tus, ticket.Url, "hel"u8.ToArray(), 5);
        string secret = ticket.Url[(ticket.Url.IndexOf('=', StringComparison.Ordinal) + 1)..][..30];
        string[] files = Directory.GetFiles(Path.Combine(directory.Root, "store"), "record.json", SearchOption.AllDirectories);
        Assert.NotEmpty(files);
        foreach (string file in files)
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using var reader = new StreamReader(stream);
            Assert.DoesNotContain(secret, await reader.ReadToEndAsync(), StringComparison.Ordinal);
        }
    }

    private static UploadDirectory CreateDirectory()
    {
        var directory = new UploadDirectory();
        Directory.CreateDirectory(directory.Root);
        return directory;
    }

    private static Task<TicketApp> StartAsync(UploadDirectory directory, string place = TusApp.Mapped) =>
        TicketApp.StartAsync(place, onKestrel: true, directory: directory.Root);

    private static async Task AssertUsedAsync(TicketApp app, string url)
    {
        await app.Client.SendFirstAsync(ProtocolClient.FileId, url, Content, 5).AssertProblemAsync(403, "ticket-used");
        await app.Client.SendFirstAsync(ProtocolClient.Tus, url, Content, 5).AssertProblemAsync(403, "ticket-used");
        await app.Client.SendFirstAsync(ProtocolClient.Ietf, url, Content, 5).AssertProblemAsync(403, "ticket-used");
        Assert.Empty(app.Received);
    }
}
