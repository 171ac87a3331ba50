using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace ResumableUploads.UnitTests.Hosting.Dashboard;

public class DashboardOptionsTests
{
    [Theory]
    [InlineData(0, 1, 8)]
    [InlineData(1001, 1, 8)]
    [InlineData(50, 0.1, 8)]
    [InlineData(50, 61, 8)]
    [InlineData(50, 1, -1)]
    [InlineData(50, 1, 1001)]
    public async Task Option_outside_its_range_throws(int pageSize, double seconds, int connections)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Services.AddResumableUploads();
        builder.Services.AddAntiforgery();
        await using WebApplication app = builder.Build();
        Assert.Throws<ArgumentException>(() => app.MapResumableUploadsDashboard("/uploads", options =>
        {
            options.PageSize = pageSize;
            options.UpdateInterval = TimeSpan.FromSeconds(seconds);
            options.MaxLiveConnections = connections;
        }));
    }

    [Fact]
    public async Task Download_policy_without_a_name_throws()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Services.AddResumableUploads();
        builder.Services.AddAntiforgery();
        await using WebApplication app = builder.Build();
        Assert.Throws<ArgumentException>(() => app.MapResumableUploadsDashboard("/uploads", static options => options.DownloadPolicy = ""));
        Assert.Contains(
            "AddAuthorization()",
            Assert.Throws<InvalidOperationException>(() => app.MapResumableUploadsDashboard("/uploads", static options => options.DownloadPolicy = "p")).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, false, "AddAntiforgery()")]
    [InlineData(false, true, "AddResumableUploads()")]
    public async Task Missing_service_throws_and_names_the_call(bool hasUploads, bool hasAntiforgery, string call)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        if (hasUploads)
        {
            builder.Services.AddResumableUploads();
        }

        if (hasAntiforgery)
        {
            builder.Services.AddAntiforgery();
        }

        await using WebApplication app = builder.Build();
        InvalidOperationException e = Assert.Throws<InvalidOperationException>(() => app.MapResumableUploadsDashboard("/uploads"));
        Assert.Contains(call, e.Message, StringComparison.Ordinal);
    }
}
