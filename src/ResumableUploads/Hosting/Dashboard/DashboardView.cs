using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;

namespace ResumableUploads.Hosting.Dashboard;

/// <summary>The part of the uploads that a page shows, as in the query of its URL.</summary>
/// <param name="State">The state of the uploads, or null for all.</param>
/// <param name="Owner">The owner of the uploads, or null for all.</param>
/// <param name="Id">The beginning of the ids of the uploads, or null for all.</param>
/// <param name="After">The continuation, or null for the first page.</param>
internal sealed record DashboardView(ManagedUploadState? State, string? Owner, string? Id, string? After)
{
    /// <summary>The number of records that a page of a search by id reads. More than for other pages, because most of them do not match.</summary>
    private const int MaxSearchedUploads = 5_000;

    public static DashboardView From(HttpRequest request) => Create(name => request.Query[name]);

    public static DashboardView From(IFormCollection form) => Create(name => form[name]);

    public UploadListQuery ToQuery(int pageSize)
    {
        var query = new UploadListQuery { State = State, Owner = Owner, IdPrefix = Id, Continuation = After, PageSize = pageSize };
        return Id is null ? query : query with { MaxScannedUploads = MaxSearchedUploads };
    }

    /// <summary>Returns the query of the URL of this page, with further values.</summary>
    public string ToQueryString(params ReadOnlySpan<(string Name, string Value)> values)
    {
        var query = new QueryBuilder();
        Add("state", State?.ToString());
        Add("owner", Owner);
        Add("id", Id);
        Add("after", After);
        foreach ((string name, string value) in values)
        {
            query.Add(name, value);
        }

        return query.ToQueryString().Value ?? "";

        void Add(string name, string? value)
        {
            if (value is not null)
            {
                query.Add(name, value);
            }
        }
    }

    private static DashboardView Create(Func<string, string?> get)
    {
        (string? owner, string? id) = (NullIfEmpty(get("owner")), NullIfEmpty(get("id")));
        if (id?.Split('/', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) is [var keyOwner, var keyId])
        {
            (owner, id) = (keyOwner, keyId);
        }

        return new DashboardView(
            Enum.TryParse(get("state"), out ManagedUploadState state) && Enum.IsDefined(state) ? state : null, owner, id, NullIfEmpty(get("after")));
    }

    private static string? NullIfEmpty(string? value) => string.IsNullOrWhiteSpace(value) ? null : value.Trim();
}
