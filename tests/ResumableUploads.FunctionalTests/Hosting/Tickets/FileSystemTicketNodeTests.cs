using ResumableUploads.Abstractions;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Hosting.Tickets;

public sealed class FileSystemTicketNodeTests : TicketNodeTests
{
    protected override int Rounds => 20;

    [Fact]
    public async Task Store_does_not_contain_the_ticket()
    {
        await using TicketApp app = await StartNodeAsync(TusApp.Endpoint);
        UploadTicket ticket = app.CreateTicket();
        await app.Client.BeginAsync(ProtocolClient.Tus, ticket.Url, "hel"u8.ToArray(), 5);
        string secret = ticket.Url[(ticket.Url.IndexOf('=', StringComparison.Ordinal) + 1)..][..30];
        string[] files = Directory.GetFiles(Path.Combine(Shared.Root, "store"), "record.json", SearchOption.AllDirectories);
        Assert.NotEmpty(files);
        foreach (string file in files)
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using var reader = new StreamReader(stream);
            Assert.DoesNotContain(secret, await reader.ReadToEndAsync(), StringComparison.Ordinal);
        }
    }

    protected override ValueTask<IUploadStore?> OpenStoreAsync() => ValueTask.FromResult<IUploadStore?>(null);
}
