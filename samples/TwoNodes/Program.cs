// A reverse proxy and two nodes that share one store. The proxy sends each request to the next node, without sticky sessions.
//   dotnet run --project samples/TwoNodes -- --store directory|azure|s3
using TwoNodes;

string? node = new ConfigurationBuilder().AddCommandLine(args).Build()["node"];
if (node is null)
{
    await FrontEnd.RunAsync(args);
}
else
{
    await Node.RunAsync(node, args);
}
