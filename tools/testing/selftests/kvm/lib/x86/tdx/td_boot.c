int tdx_oops2(void)
{
	return tdx_oops();
}
