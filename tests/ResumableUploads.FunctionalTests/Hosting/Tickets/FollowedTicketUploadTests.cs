using System.Net;
using ResumableUploads.FunctionalTests.Hosting.ProgressEvents;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Hosting.Tickets;

/// <summary>The bearer of a ticket follows its upload, and no other one.</summary>
public class FollowedTicketUploadTests
{
    private static readonly (string, string)[] FileId = [("X-File-Id", "f")];

    public static TheoryData<string, string> Cases =>
        [.. from place in TusApp.Places from protocol in ProtocolClient.Protocols select (place.Data, protocol.Data)];

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Bearer_follows_only_the_upload_of_the_ticket(string place, string protocol)
    {
        await using TicketApp app = await TicketApp.StartAsync(place, static options => options.ProgressEvents = true, onKestrel: true);
        (string, string)[] headers = protocol == ProtocolClient.FileId ? FileId : [];
        UploadTicket ticket = app.CreateTicket();
        UploadTicket unused = app.CreateTicket();
        string url = await app.Client.BeginAsync(protocol, ticket.Url, new byte[3], 6);

        using (Follower follower = await Follower.OpenAsync(app.Client, url, headers))
        {
            Assert.Equal(3, (await follower.ReadAsync())!.Offset);
            using HttpResponseMessage finished = await app.Client.FinishAsync(protocol, url, 3, new byte[3]);
            Assert.True(finished.IsSuccessStatusCode, $"{finished}");
            Assert.Equal("completed", (await follower.ReadUntilAsync(static received => received.Name != "progress")).Name);
        }

        using Follower other = await Follower.OpenAsync(app.Client, url.Replace(GetTicket(ticket), GetTicket(unused), StringComparison.Ordinal), headers);
        Assert.Contains(other.Status, new[] { HttpStatusCode.Forbidden, HttpStatusCode.NotFound });
        using Follower none = await Follower.OpenAsync(app.Client, url.Replace("ticket=" + GetTicket(ticket), "", StringComparison.Ordinal).TrimEnd('?', '&'), headers);
        Assert.NotEqual(HttpStatusCode.OK, none.Status);
    }

    private static string GetTicket(UploadTicket ticket) => ticket.Url[(ticket.Url.IndexOf("ticket=", StringComparison.Ordinal) + "ticket=".Length)..];
}
