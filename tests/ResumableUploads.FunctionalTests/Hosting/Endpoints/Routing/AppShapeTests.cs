using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Hosting.Endpoints.Routing;

/// <summary>Endpoints as real apps have them take uploads in chunks, in each protocol.</summary>
public class AppShapeTests
{
    private static readonly byte[] First = [1, 2, 3];
    private static readonly byte[] Last = [4, 5, 6];
    private static readonly (string, string) Key = (AppShapes.ApiKey, "k1");

    public static TheoryData<string, string, int, string, string?> Rows
    {
        get
        {
            var rows = new TheoryData<string, string, int, string, string?>();
            foreach (TheoryDataRow<string> row in ProtocolClient.Protocols)
            {
                rows.Add(row.Data, "/legacy/Legacy/Import", 200, "imported 6", null);
                rows.Add(row.Data, "/legacy", 200, "imported 6", null);
                rows.Add(row.Data, "/legacy/Store", 200, "stored 6", null);
                rows.Add(row.Data, "/legacy/Store/Import", 200, "stored 6", null);
                rows.Add(row.Data, "/legacy/Legacy/Import/2026", 200, "imported 6 2026", null);
                rows.Add(row.Data, "/api/invoices", 200, "invoice 6", "X-Api-Key: k1");
                rows.Add(row.Data, "/orders", 422, "6 bytes are not an order.", null);
                rows.Add(row.Data, "/orders", 422, "6 bytes are not an order.", "X-Api-Key: k1");
                rows.Add(row.Data, "/media", 200, "first 6", "Host: first.example");
                rows.Add(row.Data, "/media", 200, "second 6", "Host: second.example");
            }

            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public async Task Endpoint_takes_an_upload_in_chunks(string protocol, string path, int status, string body, string? header)
    {
        await using TestApp app = await AppShapes.StartAsync();
        (string, string)[] headers = header?.Split(": ") is [var name, var value] ? [(name, value)] : [];

        string url = await app.Client.BeginAsync(protocol, path, First, 6, headers);
        Assert.Equal("3", (await app.Client.GetOffsetAsync(protocol, url, headers)).Offset);
        using HttpResponseMessage response = await app.Client.FinishAsync(protocol, url, 3, Last, headers);

        Assert.Equal((status, body), ((int)response.StatusCode, await response.Content.ReadAsStringAsync()));
    }

    [Theory]
    [MemberData(nameof(ProtocolClient.Protocols), MemberType = typeof(ProtocolClient))]
    public async Task Key_of_another_client_does_not_reach_the_upload(string protocol)
    {
        await using TestApp app = await AppShapes.StartAsync();

        string url = await app.Client.BeginAsync(protocol, "/api/invoices", First, 6, Key);

        Assert.NotEqual("3", (await app.Client.GetOffsetAsync(protocol, url, (AppShapes.ApiKey, "k2"))).Offset);
        Assert.Equal("3", (await app.Client.GetOffsetAsync(protocol, url, Key)).Offset);
    }

    [Theory]
    [InlineData("PUT", "/legacy", 405)]
    [InlineData("POST", "/legacy/Legacy/Import/26", 404)]
    public async Task Constraints_of_a_conventional_route_apply_to_chunks(string method, string path, int status)
    {
        await using TestApp app = await AppShapes.StartAsync();
        using HttpResponseMessage response = await app.Client.SendFileIdAsync(method, path, First, ("X-File-Size", "6"));
        Assert.Equal(status, (int)response.StatusCode);
    }

    [Theory]
    [InlineData("/other")]
    [InlineData("/other/Home")]
    [InlineData("/other/Home/Index")]
    public async Task Default_action_of_a_conventional_route_is_not_that_of_a_resumable_action(string path)
    {
        await using TestApp app = await AppShapes.StartAsync();
        using HttpResponseMessage response = await app.Client.SendFileIdAsync("POST", path, First, ("X-File-Size", "6"));
        Assert.Equal("home", await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Other_method_of_a_class_with_the_attribute_takes_chunks_and_reads_are_untouched()
    {
        await using TestApp app = await AppShapes.StartAsync();
        var request = new ChunkableRequest("/api/invoices/7", [.. First, .. Last], "text/plain") { Method = HttpMethod.Put, Headers = [Key] };

        using HttpResponseMessage response = await request.SendInChunksAsync(app.Client, 3, 1);
        Assert.Equal("replaced 7 6", await response.Content.ReadAsStringAsync());

        using var list = new HttpRequestMessage(HttpMethod.Get, "/api/invoices") { Headers = { { AppShapes.ApiKey, "k1" } } };
        using HttpResponseMessage listed = await app.Client.SendAsync(list);
        Assert.Equal("invoices", await listed.Content.ReadAsStringAsync());
    }
}
