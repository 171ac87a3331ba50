using System.Security.Cryptography;
using System.Text;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Clients.Tus;

/// <summary>Runs tus-js-client with the URL of an upload ticket. It stores the upload URL, which contains the ticket, and continues there.</summary>
public class TusJsTicketTests
{
    private const string Stable = "tus-js-client";
    private const string Draft05 = "tus-js-client-next:ietf-draft-05";

    [Theory]
    [InlineData(Stable, "bytes")]
    [InlineData(Stable, "deferred")]
    [InlineData(Stable, "duringCreationInChunks")]
    [InlineData(Stable, "resumed")]
    [InlineData(Stable, "stopped")]
    [InlineData(Draft05, "bytes")]
    [InlineData(Draft05, "resumed")]
    [InlineData(Draft05, "stopped")]
    public async Task Upload_with_ticket_completes(string client, string scenario)
    {
        await using TicketApp app = await TicketApp.StartAsync(TusApp.Mapped, onKestrel: true);
        UploadTicket ticket = app.CreateTicket();
        using var file = new SourceFile($"{scenario}.bin", scenario == "stopped" ? 40_000_000 : scenario == "deferred" ? 2_500_000 : 5_000_000);
        await using NodeClient sender = await NodeClient.StartAtAsync(client, scenario, new Uri(app.App.Address, ticket.Url), seed: 1, file);
        await sender.EndAsync();
        TicketedFile received = Assert.Single(app.Received);
        Assert.Equal((file.Hash, ticket.Id), (Convert.ToHexString(SHA256.HashData(Encoding.Latin1.GetBytes(received.Content))), received.Ticket?.Id));
    }
}
