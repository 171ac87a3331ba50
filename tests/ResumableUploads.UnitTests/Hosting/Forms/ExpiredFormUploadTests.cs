using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using ResumableUploads.UnitTests.Engine.Expiration;

namespace ResumableUploads.UnitTests.Hosting.Forms;

public class ExpiredFormUploadTests
{
    [Theory]
    [InlineData(5, "Completed")]
    [InlineData(10, "Incomplete")]
    public async Task Expired_upload_is_not_found_before_it_is_swept(int size, string before)
    {
        var time = new JumpingTimeProvider();
        await using TestApp app = await TestApp.StartAsync(
            static options =>
            {
                options.AnonymousOwner = AnonymousOwner.Shared;
                options.Timeouts.SweepInterval = TimeSpan.FromDays(40);
            },
            builder =>
            {
                builder.Services.AddSingleton<TimeProvider>(time);
                builder.Services.AddResumableUploads();
            },
            after: static app => app.MapPost("/form", static async context =>
                await context.Response.WriteAsync((await context.GetFormUploadsAsync("files"))[0].Status.ToString())),
            onTestHost: true);
        using HttpResponseMessage sent = await app.Client.AppendAsync("f", 0, new byte[5], size);
        Assert.Equal(before, await SendFormAsync(app));

        // A wrong clock does not hide uploads that are not deleted.
        time.Error = TimeSpan.FromDays(365);
        Assert.Equal(before, await SendFormAsync(app));
        time.Error = TimeSpan.Zero;
        time.Advance(TimeSpan.FromDays(8));
        Assert.Equal("NotFound", await SendFormAsync(app));
    }

    private static async Task<string> SendFormAsync(TestApp app)
    {
        using var form = new FormUrlEncodedContent([KeyValuePair.Create("files", "f")]);
        using HttpResponseMessage response = await app.Client.PostAsync("/form", form);
        return await response.Content.ReadAsStringAsync();
    }
}
